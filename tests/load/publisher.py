"""`python -m tests.load.publisher`: publishes whole days of `made` at a pace, and says at its end how many they were.

A process of its own, so that what it takes of the processor is seen. SIGTERM ends it when the day under way is whole.
"""

import argparse
import signal
import sys
import threading
import time

from confluent_kafka import Message, Producer

from season.kafka import PARTITIONER
from tests.load.made import day_of

_PIECE = 500  # messages between two looks at the clock


class LoadPublisher:
    """Sends messages at a pace (a second, 0 for as fast as it goes); raises where one is not delivered."""

    def __init__(self, servers: str, topic: str, rate: float) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "partitioner": PARTITIONER,
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 20,
            }
        )
        self._topic, self._rate = topic, rate
        self._due = time.monotonic()
        self._failed: list[object] = []

    def send(self, messages: list[tuple[bytes, bytes]]) -> None:
        """Sends them in their order, and waits until the next are due."""
        for start in range(0, len(messages), _PIECE):
            piece = messages[start : start + _PIECE]
            for key, value in piece:
                self._produce(key, value)
            self._producer.poll(0)
            if self._failed:
                raise RuntimeError(f"a reading was not delivered: {self._failed[0]}")
            self._wait(len(piece))

    def finish(self) -> None:
        """Waits until all are delivered, from now on without a pace."""
        self._producer.flush()
        if self._failed:
            raise RuntimeError(f"a reading was not delivered: {self._failed[0]}")

    def hurry(self) -> None:
        """No pace any more."""
        self._rate = 0

    def _wait(self, sent: int) -> None:
        if self._rate:
            # What a stall has cost is made up for, but for no more than a second of it.
            self._due = max(self._due + sent / self._rate, time.monotonic() - 1)
            time.sleep(max(0.0, self._due - time.monotonic()))

    def _produce(self, key: bytes, value: bytes) -> None:
        while True:
            try:
                return self._producer.produce(self._topic, value, key, on_delivery=self._delivered)
            except BufferError:
                self._producer.poll(0.05)

    def _delivered(self, error: object, _message: Message) -> None:
        if error is not None:
            self._failed.append(error)


def main() -> None:
    """Publishes until SIGTERM, or so many days; says when it begins, and at its end how many were whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.publisher", description=__doc__)
    parser.add_argument("--servers", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--zones", type=int, required=True)
    parser.add_argument("--first-day", type=int, default=0)
    parser.add_argument("--days", type=int, help="how many, until SIGTERM otherwise")
    parser.add_argument("--rate", type=float, default=0, help="readings a second (as fast as it goes)")
    told = parser.parse_args()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    publisher = LoadPublisher(told.servers, told.topic, told.rate)
    say("publishes")  # from now on SIGTERM is heard
    done = 0
    while done != told.days and not stopped.is_set():
        for part in day_of(told.zones, told.first_day + done):
            if stopped.is_set():
                publisher.hurry()
            publisher.send(part)
        done += 1
    publisher.finish()
    say(str(done))


def say(text: str) -> None:
    """To whoever started it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
