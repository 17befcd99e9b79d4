"""Says what a person can do where the broker refuses what is written; it asks the broker only then."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from season import instants
from season.client.admin import Admin, PartitionDescription
from season.client.errors import ClientError, Code
from season.topics import Described

_ANSWER_S = 1.0
_AFTER, _BEFORE = "message.timestamp.after.max.ms", "message.timestamp.before.max.ms"
_TRANSACTIONS = "__transaction_state"
_INTERNAL = (_TRANSACTIONS, "__consumer_offsets")
_REPLICAS = {Code.NOT_ENOUGH_REPLICAS, Code.TIMED_OUT, Code.MSG_TIMED_OUT}


@dataclass(frozen=True)
class Refusal:
    """Why something was not written: the client's error, and the topic, where one is known.

    `transactional`: it was part of a transaction, so that the coordinator has written something a moment ago.
    """

    error: ClientError
    topic: str = ""
    transactional: bool = False

    def __str__(self) -> str:
        said = f"{self.error.sentence} ({self.error.name})"
        return f"{said} on {self.topic!r}" if self.topic else said


class Remedies:
    """Says what a person can do about a refusal. It asks the broker, and waits for some seconds at most."""

    def __init__(self, admin: Admin, topics: Described, wall: Callable[[], float] = time.time) -> None:
        self._admin = admin
        self._settings = {
            topics.predictions.name: "PREDICTIONS_TOPIC",
            topics.dead_letters.name: "DEAD_LETTER_TOPIC",
            topics.changelog.name: "CHANGELOG_TOPIC",
        }
        self._wall = wall

    def __call__(self, refusal: Refusal) -> str:
        """Return a sentence: what the broker says, about which topic, and what to do."""
        return f"{self._said(refusal)}{self._remedy(refusal)}"

    def _said(self, refusal: Refusal) -> str:
        name = refusal.error.name
        if not refusal.topic:
            return f"{refusal.error.sentence} ({name})"
        # The client's own sentence is of one request, and another at each try.
        meaning = refusal.error.meaning
        return f"what is written to {self._named(refusal.topic)} is not taken: {meaning} ({name})"

    def _named(self, topic: str) -> str:
        setting = self._settings.get(topic)
        return f"{setting}={topic!r}" if setting else repr(topic)

    def _remedy(self, refusal: Refusal) -> str:
        code, topic = refusal.error.code, refusal.topic
        if code == Code.INVALID_TIMESTAMP:
            return self._clock(topic, self._broker_time() if refusal.transactional else None)
        if code == Code.INVALID_RECORD:
            return (
                "; a compacted topic takes no message without a key, and some dead letters have none: its "
                "cleanup.policy must be delete"
                if "compact" in self._config(topic).get("cleanup.policy", "compact")
                else ""
            )
        if code == Code.MSG_SIZE_TOO_LARGE:
            limit = self._config(topic).get("max.message.bytes")
            return f"; raise the topic's max.message.bytes{f' (it is {limit})' if limit else ''}"
        if code in _REPLICAS or not topic:
            return self._replicas([topic] if topic else [*self._settings, *_INTERNAL])
        return ""

    def _clock(self, topic: str, broker: float | None) -> str:
        """Return what is known of this host's clock, the broker's, and the topic's limits."""
        now = self._wall()
        sentence = f"; this host's clock says {instants.format(int(now))}"
        names = [_AFTER, _BEFORE]
        if broker is not None:
            ahead = now - broker
            sentence += f", {abs(ahead):.0f} s {'ahead of' if ahead >= 0 else 'behind'} the broker's"
            if abs(ahead) > _ANSWER_S:
                names = [_AFTER if ahead > 0 else _BEFORE]
        config = self._config(topic)
        limits = " or ".join(f"{name} (it is {config[name]})" if name in config else name for name in names)
        return f"{sentence}: set the clocks right, or raise the topic's {limits}"

    def _broker_time(self) -> float | None:
        """Return when a coordinator wrote last, by its own clock; right after an abort that is its time now."""
        try:
            partitions = [one.number for one in self._admin.cluster(_ANSWER_S).topics.get(_TRANSACTIONS, ())]
            answers = self._admin.offsets(_TRANSACTIONS, partitions, "max_timestamp", _ANSWER_S)
            latest = max((answer.timestamp() for answer in answers.values()), default=-1.0)
        except (ClientError, ValueError):
            return None  # not every account may ask this
        return latest if latest > 0 else None

    def _replicas(self, topics: Iterable[str]) -> str:
        """Return which of these topics lack replicas that are in sync, where any do."""
        try:
            known = self._admin.cluster(_ANSWER_S).topics
        except ClientError:
            return ""
        lacking = [lack for name in topics if name in known if (lack := self._lack(name, known[name]))]
        if not lacking:
            return ""
        return f"; {', '.join(lacking)}: start the brokers that are away, or lower min.insync.replicas"

    def _lack(self, topic: str, partitions: Sequence[PartitionDescription]) -> str:
        fewest, most = min((partition.in_sync, partition.replicas) for partition in partitions)
        needed = int(self._config(topic).get("min.insync.replicas", most))
        if fewest >= needed:
            return ""
        return f"{self._named(topic)} has {fewest} of the {needed} replicas in sync that min.insync.replicas needs"

    def _config(self, topic: str) -> dict[str, str]:
        """Return a topic's settings; none where this account may not ask."""
        try:
            return self._admin.configuration("topic", topic, _ANSWER_S)
        except (ClientError, ValueError):
            return {}  # not every account may ask this
