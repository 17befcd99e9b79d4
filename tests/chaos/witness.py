"""A `read_committed` subscriber that reads along: what it has seen must stand in the topic for ever."""

import threading
from contextlib import suppress

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tests.integration.oracle import Logged
from tests.integration.world import World

Seen = dict[tuple[int, int], tuple[bytes | None, bytes | None]]  # (partition, offset) -> key, value


class Witness:
    """A thread that reads one topic until `stop`."""

    def __init__(self, world: World, setting: str) -> None:
        self._topic, self._partitions = world.environ[setting], world.partitions
        self._consumer = Consumer(
            {
                "bootstrap.servers": world.servers,
                "group.id": "none",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "allow.auto.create.topics": False,
                "log_level": 0,
            }
        )
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen: Seen = {}

    def start(self) -> None:
        """Begins to read; the topic is there."""
        self._thread.start()

    def stop(self) -> None:
        """Ends."""
        self._stopped.set()
        self._thread.join(30)
        self._consumer.close()

    def differences(self, log: list[Logged]) -> list[str]:
        """What it saw that is not in the log, which was read at the end."""
        stands = {(message.partition, message.offset): (message.key, message.value) for message in log}
        changed = [place for place, message in self.seen.items() if stands.get(place) != message]
        if not changed:
            return []
        return [f"a subscriber saw {len(changed)} messages of {self._topic} that are gone or changed: {changed[:5]}"]

    def _run(self) -> None:
        self._consumer.assign([TopicPartition(self._topic, p, 0) for p in range(self._partitions)])
        while not self._stopped.is_set():
            for message in self._consumer.consume(500, 0.5):
                if message.error() is None:
                    self.seen[message.partition() or 0, message.offset() or 0] = (message.key(), message.value())
                else:
                    self._look_again()

    def _look_again(self) -> None:
        """Asks anew who leads the topic: what the client remembers may be of before a crash of the broker."""
        with suppress(KafkaException):
            self._consumer.list_topics(self._topic, timeout=1.0)
