"""Asks the broker from time to time whether it answers, and whether `readings` is still the topic it was."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from season.topics import Topic, find

log = structlog.get_logger()

_EVERY = 3.0


class Probe:
    """A thread that asks; `problem` is the sentence for a topic that has changed under the running program."""

    def __init__(self, admin: AdminClient, readings: Topic, answered: Callable[[], None]) -> None:
        self._admin = admin
        self._readings = readings
        self._answered = answered
        self._ended = threading.Event()
        self.problem: str | None = None
        self._gone = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Asks while the context lasts."""
        threading.Thread(target=self._run, daemon=True, name="probe").start()
        try:
            yield
        finally:
            self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                topic = find(self._admin, self._readings.name)
            except KafkaException:
                pass
            else:
                self._answered()
                if topic is None and not self._gone:
                    log.error("the topic is gone; waiting for it", topic=self._readings.name)
                self._gone = topic is None
                self.problem = self.problem or self._compare(topic)
            self._ended.wait(_EVERY)

    def _compare(self, topic: Topic | None) -> str | None:
        was = self._readings
        # A topic that is gone may come back in a moment, made anew: then its id tells.
        if topic is None or topic == was:
            return None
        what = "was made anew" if topic.topic_id != was.topic_id else f"has {topic.partitions} partitions now"
        return (
            f"READINGS_TOPIC={was.name!r} {what} (it had {was.partitions} partitions and the id {was.topic_id}): "
            "zones fall to other partitions than their open windows. Take a new CONSUMER_GROUP (and so a new "
            "changelog), and new topics for predictions and dead letters, to read everything anew"
        )
