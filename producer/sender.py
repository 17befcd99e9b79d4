"""Gives readings to Kafka's client, and counts those that are queued and those that failed."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from season.client.errors import ClientError, Code
from season.client.producer import ClientProducer, producer_client
from season.fault import Properties
from season.kafka import DENIALS, PARTITIONER, debug_logger, merged_properties, refuse

_REPORT_INTERVAL_S = 10.0  # between two lines about a broker that is away
_MESSAGES_PER_POLL = 1000


class ProducerClient(Protocol):
    """The part of a `ClientProducer` that is used here."""

    def produce(self, topic: str, value: bytes, key: bytes, /) -> None:
        """Queue a message. Raises BufferError when the queue is full, ClientError when it can never be sent."""

    def poll(self, timeout_s: float, /) -> None:
        """Serve the callbacks for `timeout` seconds."""

    def flush(self, timeout_s: float, /) -> int:
        """Send what is queued for at most `timeout` seconds; return how many messages are left."""

    def left(self) -> int:
        """Return how many messages are queued or being sent."""


def properties(environ: Mapping[str, str]) -> Properties:
    """Return the client's properties: nothing is lost, doubled or reordered, and an absent broker is waited for.

    By default a message is retried for ever; with the user's KAFKA_DELIVERY_TIMEOUT_MS it fails after that.
    """
    ours = {
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": PARTITIONER,
        "allow.auto.create.topics": False,
        "delivery.timeout.ms": 0,
        "linger.ms": 20,
        # Every client can read that, those in JavaScript included (ADR 9); compression would not be quicker.
        "compression.type": "none",
        "delivery.report.only.error": True,
    }
    return merged_properties(producer_client, environ, ours)


class Sender:
    """Sends to one topic. `sent` counts what was queued, `failures` holds what the client gave up, in words."""

    def __init__(self, topic: str, log: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        self.sent = 0
        self.failed = 0
        self.failures: list[str] = []
        self._topic = topic
        self._log = log
        self._stopped = stopped
        self._errors: list[ClientError] = []
        self._reported_at = float("-inf")
        self._client: ProducerClient

    def connect(self, made: Properties, client: Callable[..., ProducerClient] = ClientProducer) -> "Sender":
        """Make the client; its errors come to this object."""
        quiet = {**made, "logger": debug_logger(made, self._log)}
        self._client = client(quiet, on_delivery=self._delivered, on_error=self._errors.append)
        return self

    def send(self, key: bytes, value: bytes) -> bool:
        """Queue one message, waiting while the queue is full; return False where it gave up waiting.

        Raises RefusedError where the broker refuses the credentials.
        """
        while not self.failures:
            try:
                self._client.produce(self._topic, value, key)
            except BufferError:
                if self._stopped():
                    return False
                self.serve(0.1)
                continue
            except ClientError as error:
                self._fail(error)
                return False
            self.sent += 1
            if self.sent % _MESSAGES_PER_POLL == 0:
                self.serve(0)
            return True
        return False

    def serve(self, timeout: float) -> None:
        """Let the client work for `timeout` seconds, and handle its errors."""
        self._client.poll(timeout)
        self._handle_errors()

    def flush(self, patience: float) -> int:
        """Wait until everything is delivered or failed; return how many messages are neither.

        Once stopped, the wait lasts `patience` seconds at most.
        """
        deadline: float | None = None
        while left := self._client.flush(0.2):
            self._handle_errors()
            now = time.monotonic()
            if deadline is None and self._stopped():
                deadline = now + patience
            if deadline is not None and now >= deadline:
                return left
        self._handle_errors()
        return 0

    def left(self) -> int:
        """Return how many messages are neither delivered nor failed."""
        return self._client.left()

    def _delivered(self, error: ClientError | None, _topic: str) -> None:
        if error is None:
            return
        self._fail(error)
        if error.code in DENIALS:
            self._errors.append(error)  # `_handle_errors` raises it: nothing more can be delivered

    def _fail(self, error: ClientError) -> None:
        self.failed += 1
        if len(self.failures) < 5 and error.sentence not in self.failures:
            self.failures.append(error.sentence)

    def _handle_errors(self) -> None:
        errors, self._errors[:] = self._errors[:], []
        refuse(errors)
        for error in errors:
            if error.fatal:
                self._fail(error)
        away = any(error.code == Code.ALL_BROKERS_DOWN for error in errors)
        if away and time.monotonic() - self._reported_at >= _REPORT_INTERVAL_S:
            self._reported_at = time.monotonic()
            self._log("the broker is away: waiting for it, nothing is lost")
