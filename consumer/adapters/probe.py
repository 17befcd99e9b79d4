"""Asks the broker from time to time whether it answers, where the readings end, and whether topics have changed."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import structlog

from consumer.adapters.logs import Complaints
from consumer.standing import PartitionEnds
from season.client.admin import Admin
from season.client.errors import ClientError
from season.topics import Described, Topic, cleanup_policy, find

log = structlog.get_logger()

_INTERVAL_S = 3.0
_TIMEOUT_S = 3.0  # of one question: a node that does not answer must not delay the questions to others
_ROUNDS_BETWEEN_POLICIES = 10  # between two questions for cleanup policies
_START_OVER = (
    "Take a new CONSUMER_GROUP (and so a new changelog), and new topics for predictions and dead letters, to read "
    "everything anew"
)


class Probe:
    """A thread that asks; `problem` is the sentence for a topic that has changed under the running program.

    A deleted topic is waited for: it may be created again in a moment, which its id then shows.
    """

    def __init__(self, admin: Admin, topics: Described, answered: Callable[[], None], complaints: Complaints) -> None:
        self._admin = admin
        self._complaints = complaints
        self._topics = topics
        self._answered = answered
        self._ended = threading.Event()
        self.problem: str | None = None
        self.ends: Mapping[int, PartitionEnds] = {}  # of the partitions that are watched; replaced, never changed
        self._watched: Collection[int] = ()
        self._gone: set[str] = set()
        self._warned: set[str] = set()  # topics whose cleanup policy was logged
        self._rounds = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask the broker on a thread of its own while the context lasts."""
        threading.Thread(target=self._run, daemon=True, name="probe").start()
        try:
            yield
        finally:
            self._ended.set()

    def watch(self, partitions: Collection[int]) -> None:
        """Ask from now on where these partitions of the readings end. For the loop's thread."""
        self._watched = partitions

    def _run(self) -> None:
        topics = self._topics
        while not self._ended.is_set():
            try:
                self._check(topics.readings, self._of_readings)
                self._check(topics.changelog, self._of_changelog)
                # A new topic of these is fine: it gets the next messages, and subscribers have the others.
                self._check(topics.predictions, lambda _: None)
                self._check(topics.dead_letters, lambda _: None)
                self._ask_ends()
                if self._rounds % _ROUNDS_BETWEEN_POLICIES == 0:
                    self._ask_policies()
                self._rounds += 1
            except ClientError as error:
                self._complaints(error)
            self._admin.serve()  # else its lines for KAFKA_DEBUG would pile up: nobody else does
            self._ended.wait(_INTERVAL_S)

    def _ask_ends(self) -> None:
        """Ask for the watched partitions' end and last stable offsets. Raises ClientError."""
        watched = list(self._watched)
        # The end first: messages that are published between the two questions must not count as held.
        ends, stable = self._offsets(watched, committed=False), self._offsets(watched, committed=True)
        self.ends = {partition: PartitionEnds(stable[partition], ends[partition]) for partition in watched}

    def _offsets(self, partitions: list[int], *, committed: bool) -> dict[int, int]:
        topic = self._topics.readings.name
        answers = self._admin.offsets(topic, partitions, "latest", _TIMEOUT_S, committed=committed)
        return {partition: answer.result() for partition, answer in answers.items()}

    def _ask_policies(self) -> None:
        """Warn, once a topic, of a cleanup policy that loses what the service needs."""
        readings, changelog = self._topics.readings.name, self._topics.changelog.name
        policy = cleanup_policy(self._admin, readings, _TIMEOUT_S)
        if policy is not None and "compact" in policy and readings not in self._warned:
            self._warned.add(readings)
            log.warning(
                "READINGS_TOPIC is compacted: once the broker cleans up it keeps the latest reading of each zone "
                "alone, and hours that were not read by then are lost; set cleanup.policy=delete",
                topic=readings,
                cleanup_policy=policy,
            )
        policy = cleanup_policy(self._admin, changelog, _TIMEOUT_S)
        if policy not in (None, "compact") and changelog not in self._warned:
            self._warned.add(changelog)
            log.error(
                "CHANGELOG_TOPIC is not compacted any more: the broker forgets open windows by their age, and the "
                "next start is refused; set cleanup.policy=compact",
                topic=changelog,
                cleanup_policy=policy,
            )

    def _check(self, was: Topic, changed: Callable[[Topic], str | None]) -> None:
        topic = find(self._admin, was.name, _TIMEOUT_S)
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
        return f"READINGS_TOPIC={topic.name!r} {changed}: {why}. {_START_OVER}"

    def _of_changelog(self, topic: Topic) -> str:
        was = self._topics.changelog
        lost = (
            "it has lost the open windows" if topic.topic_id != was.topic_id else "it must have as many as readings"
        )
        return f"CHANGELOG_TOPIC={topic.name!r} {_what(was, topic)}: {lost}. {_START_OVER}"


def _what(was: Topic, topic: Topic) -> str:
    what = "was made anew" if topic.topic_id != was.topic_id else f"has {topic.partitions} partitions now"
    return f"{what} (it had {was.partitions} partitions and the id {was.topic_id})"
