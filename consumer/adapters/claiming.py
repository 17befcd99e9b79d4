"""Claims the changelog for this deployment if nobody has, and says whose it is.

It does so before it joins the group and acquires a `transactional.id`, since two deployments may share both.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from consumer.adapters.logs import Complaints, client_logger
from consumer.adapters.refusal import Refusal
from consumer.adapters.restore import READER
from consumer.core import claim
from consumer.core.claim import Claim
from consumer.core.record import DamagedError
from season.cli import StoppedError
from season.client.consumer import BEGINNING, TopicConsumer, consumer_client
from season.client.errors import ClientError
from season.client.message import KafkaMessage
from season.client.producer import ClientProducer, producer_client
from season.kafka import groupless, merged_properties, refuse, refuse_reader

_WRITE: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "allow.auto.create.topics": False,
    # Default 300,000 ms: how long the client asks again by itself before it says why.
    "delivery.timeout.ms": 5000,
}
_POLL_S = 0.1


class Claiming:
    """Reads the first record of a changelog, and writes it where there is none.

    `refused` gets the refusal where the broker does not accept our claim, and returns the seconds until the next try.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        changelog: str,
        stopped: Callable[[], bool],
        complaints: Complaints,
        refused: Callable[[Refusal], float],
    ) -> None:
        self._environ = environ
        self._changelog = changelog
        self._stopped = stopped
        self._complaints = complaints
        self._refused = refused

    def holder(self, ours: Claim) -> Claim:
        """Return the claim that holds, which is ours where the changelog was empty and nobody else was quicker.

        Raises RefusedError, StoppedError, and DamagedError where the first record is no claim.
        """
        properties = groupless(merged_properties(consumer_client, self._environ, READER))
        with closing(TopicConsumer({**properties, "logger": client_logger()}, self._changelog)) as consumer:
            first = self._first(consumer, or_end=True)
            if first is None:
                self.write(ours)
                first = self._first(consumer, or_end=False)
        assert first is not None, "without an end there is a record"
        if not claim.is_claim(first.key()):
            raise DamagedError("its first record says not whose it is")
        return claim.decode(first.value())

    def write(self, ours: Claim) -> None:
        """Append a claim. Raises RefusedError and StoppedError."""
        value = claim.encode(ours)
        while error := self._delivered(value):
            refuse([error])
            time.sleep(self._refused(Refusal(error, self._changelog)))

    def _delivered(self, value: bytes) -> ClientError | None:
        """Write one message and wait for the broker's answer; return its error, if any. Raises StoppedError."""
        answers: list[ClientError | None] = []
        properties = {**merged_properties(producer_client, self._environ, _WRITE), "logger": client_logger()}
        producer = ClientProducer(properties, on_delivery=lambda error, _topic: answers.append(error))
        producer.produce(self._changelog, value, claim.key(uuid.uuid4().hex), 0)
        while not answers:
            if self._stopped():
                raise StoppedError
            producer.poll(_POLL_S)
        return answers[0]

    def _first(self, consumer: TopicConsumer, or_end: bool) -> KafkaMessage | None:
        """Return the first committed record, waiting for it; None at the end of an empty partition, with `or_end`."""
        consumer.assign({0: BEGINNING})
        while not self._stopped():
            batch = consumer.poll(_POLL_S)
            if batch.messages:
                return batch.messages[0]
            for event in batch.events:
                if not event.is_end:
                    refuse_reader([event.error])
                    self._complaints(event.error, asked="for the changelog's claim")
                elif or_end:
                    return None
        raise StoppedError
