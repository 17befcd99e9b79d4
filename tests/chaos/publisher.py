"""Publishes the traffic at a steady pace: plainly, in transactions, and in transactions that are aborted."""

import itertools
import random
import threading
import time
from collections import Counter
from contextlib import suppress

from confluent_kafka import KafkaException, Producer

from tests.chaos.client import HangsError, within
from tests.chaos.traffic import Message, altered, messages
from tests.integration.world import World

_FLUSH = 5.0


class Publisher:
    """A thread that publishes until `stop`. What arrives, and in which order, the topic's log says."""

    def __init__(self, world: World, seed: int, rate: float) -> None:
        self._servers, self._topic = world.servers, world.environ["READINGS_TOPIC"]
        self._id = f"{world.name}.publisher"
        self._chance = random.Random(seed)
        self._messages = messages(seed, world.partitions)
        self._rate = rate
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._client: Producer | None = None
        self._error: Exception | None = None
        self.sent = 0
        self.batches: Counter[str] = Counter()

    def start(self) -> None:
        """Begins to publish."""
        self._thread.start()

    def stop(self) -> None:
        """Ends with no transaction open. Takes as long as the broker is away."""
        self._stopped.set()
        self._thread.join(120)
        assert not self._thread.is_alive(), "the publisher does not end"
        assert self._error is None, f"the publisher failed: {self._error!r}"

    def _run(self) -> None:
        try:
            self._publish()
        except Exception as error:
            self._error = error

    def _publish(self) -> None:
        plain = Producer(_properties(self._servers))
        began = time.monotonic()
        while not self._stopped.is_set():
            batch = list(itertools.islice(self._messages, self._chance.randrange(5, 80)))
            if self._chance.random() < 0.3:
                self._produce(plain, batch)
                plain.flush(_FLUSH)
                self.batches["plain"] += 1
            else:
                if self._chance.random() < 0.25:
                    self._transact([altered(message) for message in batch], commits=False)
                self._transact(batch, commits=True)
            self.sent += len(batch)
            self._stopped.wait(max(0.0, self.sent / self._rate - (time.monotonic() - began)))
        plain.flush(60)
        while not self._transact([], commits=True):  # takes the id anew where the last transaction was left open
            pass

    def _transact(self, batch: list[Message], *, commits: bool) -> bool:
        """Whether one transaction came to its end; a batch that fails is gone, as it is with a careless publisher."""
        try:
            client = self._take_id()
            client.begin_transaction()
            self._produce(client, batch)
            client.flush(_FLUSH)
            within(client.commit_transaction if commits else client.abort_transaction)
        except (KafkaException, HangsError):
            self._client = None
            self.batches["failed"] += 1
            return False
        self.batches["committed" if commits else "aborted"] += 1
        return True

    def _take_id(self) -> Producer:
        while self._client is None:
            client = Producer(_properties(self._servers) | {"transactional.id": self._id})
            with suppress(KafkaException, HangsError):
                within(client.init_transactions)
                self._client = client
        return self._client

    def _produce(self, client: Producer, batch: list[Message]) -> None:
        for message in batch:
            while True:
                try:
                    client.produce(self._topic, **message)
                    break
                except BufferError:
                    client.poll(0.1)


def _properties(servers: str) -> dict[str, object]:
    return {
        "bootstrap.servers": servers,
        "partitioner": "murmur2_random",
        "transaction.timeout.ms": 10_000,
        "log_level": 0,
    }
