"""Every reading handed over is delivered, failed, or reported as still queued: none is lost."""

from collections.abc import Callable
from typing import Any

import pytest

from producer.sender import ProducerClient, Sender
from season.client.errors import ClientError, Code
from season.client.producer import Delivered
from season.settings import RefusedError


class Queue:
    """A producer's client with a queue of a few messages that is emptied when it is served."""

    def __init__(self, on_delivery: Delivered, on_error: Callable[[ClientError], None]) -> None:
        self.on_delivery, self.on_error = on_delivery, on_error
        self.room = 3
        self.away = False
        self.queued: list[bytes] = []
        self.delivered: list[bytes] = []
        self.refuse: dict[bytes, ClientError] = {}

    def produce(self, topic: str, value: bytes, key: bytes) -> None:
        """Queues a message, while there is room."""
        if len(self.queued) == self.room:
            raise BufferError
        if value == b"impossible":
            raise ClientError(Code.MSG_TIMED_OUT, "impossible")
        self.queued.append(value)

    def poll(self, timeout: float) -> None:
        """Delivers everything, unless the broker is away."""
        if self.away:
            self.on_error(ClientError(Code.ALL_BROKERS_DOWN))
            return
        for value in self.queued:
            error = self.refuse.get(value)
            if error is None:
                self.delivered.append(value)
            else:
                self.on_delivery(error, "readings")
        self.queued = []

    def flush(self, timeout: float) -> int:
        """Delivers everything; returns what is left."""
        self.poll(timeout)
        return len(self.queued)

    def left(self) -> int:
        """Returns what is queued."""
        return len(self.queued)


def sender(stopped: Callable[[], bool] = lambda: False) -> tuple[Sender, Queue, list[str]]:
    """A sender, its client and what it logs."""
    log: list[str] = []
    made: list[Queue] = []

    def client(_properties: dict[str, Any], **callbacks: Any) -> ProducerClient:
        made.append(Queue(**callbacks))
        return made[0]

    return Sender("readings", log.append, stopped).connect({}, client), made[0], log


def test_a_full_queue_is_waited_for() -> None:
    """Back-pressure: more messages than the queue holds are all delivered, in order."""
    out, client, _ = sender()
    values = [b"%d" % number for number in range(10)]
    assert all(out.send(b"IT", value) for value in values)
    assert out.flush(1) == 0
    assert client.delivered == values
    assert (out.sent, out.failed) == (10, 0)


def test_a_failed_delivery_is_counted_and_ends_the_sending() -> None:
    """What the client gives up is known by its reason, and nothing is sent behind it."""
    out, client, _ = sender()
    client.refuse[b"2"] = ClientError(Code.MSG_TIMED_OUT, "timed out")
    sent = [out.send(b"IT", b"%d" % number) for number in range(10)]
    assert sent == [True] * 3 + [False] * 7
    assert (out.sent, out.failed, out.failures) == (3, 1, ["timed out"])


def test_a_message_that_cannot_be_sent_at_all_is_a_failure() -> None:
    """An error at the hand-over counts like one at the delivery."""
    out, _, _ = sender()
    assert not out.send(b"IT", b"impossible")
    assert (out.sent, out.failures) == (0, ["impossible"])


def test_a_broker_that_is_away_is_told_once_in_a_while() -> None:
    """The wait has a log line, not one for each try."""
    out, client, log = sender()
    client.away = True
    out.send(b"IT", b"1")
    for _ in range(5):
        out.serve(0)
    assert len(log) == 1
    assert "waiting" in log[0]


def test_once_stopped_the_wait_for_the_broker_is_bounded() -> None:
    """A stopped program says how many messages it could not deliver, and does not wait for ever."""
    asked: list[bool] = []
    out, client, _ = sender(lambda: bool(asked))
    client.away = True
    assert all(out.send(b"IT", b"%d" % number) for number in range(3))
    asked.append(True)
    assert not out.send(b"IT", b"4")
    assert out.flush(0.01) == 3


def test_refused_credentials_stop_it() -> None:
    """What a wait cannot heal is not waited for."""
    out, client, _ = sender()
    client.on_error(ClientError(Code.AUTHENTICATION, "wrong password"))
    with pytest.raises(RefusedError, match="wrong password"):
        out.serve(0)
