"""Asks the broker from time to time whether it answers, and whether the four topics are still what they were."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from consumer.adapters.logs import Complaints
from season.topics import Described, Topic, find

log = structlog.get_logger()

_EVERY = 3.0
_ANEW = (
    "Take a new CONSUMER_GROUP (and so a new changelog), and new topics for predictions and dead letters, to read "
    "everything anew"
)


class Probe:
    """A thread that asks; `problem` is the sentence for a topic that has changed under the running program.

    A topic that is gone is waited for: it may come back in a moment, made anew, and then its id tells.
    """

    def __init__(
        self, admin: AdminClient, topics: Described, answered: Callable[[], None], complaints: Complaints
    ) -> None:
        self._admin = admin
        self._complaints = complaints
        self._topics = topics
        self._answered = answered
        self._ended = threading.Event()
        self.problem: str | None = None
        self._gone: set[str] = set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Asks while the context lasts."""
        threading.Thread(target=self._run, daemon=True, name="probe").start()
        try:
            yield
        finally:
            self._ended.set()

    def _run(self) -> None:
        topics = self._topics
        while not self._ended.is_set():
            try:
                self._look(topics.readings, self._of_readings)
                self._look(topics.changelog, self._of_changelog)
                # What was published is the subscribers'; a new topic takes what follows.
                self._look(topics.predictions, lambda _: None)
                self._look(topics.dead_letters, lambda _: None)
            except KafkaException as exception:
                self._complaints(exception.args[0])
            self._admin.poll(0)  # nobody else serves this client: its lines for KAFKA_DEBUG would pile up
            self._ended.wait(_EVERY)

    def _look(self, was: Topic, changed: Callable[[Topic], str | None]) -> None:
        topic = find(self._admin, was.name)
        self._answered()
        if topic is None:
            if was.name not in self._gone:
                log.error("the topic is gone; waiting for it", topic=was.name)
            self._gone.add(was.name)
            return
        if was.name in self._gone:
            log.warning("the topic is back", topic=was.name)
            self._gone.discard(was.name)
        if topic != was:
            self.problem = self.problem or changed(topic)

    def _of_readings(self, topic: Topic) -> str:
        changed = _what(self._topics.readings, topic)
        why = "zones fall to other partitions than their open windows"
        return f"READINGS_TOPIC={topic.name!r} {changed}: {why}. {_ANEW}"

    def _of_changelog(self, topic: Topic) -> str:
        was = self._topics.changelog
        lost = (
            "it has lost the open windows" if topic.topic_id != was.topic_id else "it must have as many as readings"
        )
        return f"CHANGELOG_TOPIC={topic.name!r} {_what(was, topic)}: {lost}. {_ANEW}"


def _what(was: Topic, topic: Topic) -> str:
    what = "was made anew" if topic.topic_id != was.topic_id else f"has {topic.partitions} partitions now"
    return f"{what} (it had {was.partitions} partitions and the id {was.topic_id})"
