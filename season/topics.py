"""The four topics: their names, how they are created where they are missing, and what the broker says of them."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from season.cli import StoppedError
from season.client.admin import Admin
from season.client.errors import ClientError, Code
from season.kafka import refuse
from season.rights import CREATE, TOPIC, Right
from season.settings import SettingError, WholeNumber, load, setting

DEAD_LETTER_BYTES = 2 * 1024 * 1024
"""The largest dead letter (value, key and headers together) that the created topic takes."""

_DEAD_LETTER = {
    # The broker's limit is for the batch as it is sent; a record and its batch add a few bytes to what they hold.
    "max.message.bytes": str(DEAD_LETTER_BYTES + 16 * 1024),
}
_CHANGELOG = {
    "cleanup.policy": "compact",
    # The broker never compacts the segment it writes to. With its own defaults (1 GiB, 7 days, half of it dirty) the
    # topic would grow for a week before it shrank: small and young segments, cleaned when a tenth is superseded.
    "segment.bytes": str(16 * 1024 * 1024),
    "segment.ms": str(10 * 60 * 1000),
    "min.cleanable.dirty.ratio": "0.1",
    # Tombstones and transaction markers, tens of them a second, are removed after ten minutes. That is enough: a
    # restore takes one minute at most, and later records supersede the same. With an hour (a day by default) they
    # outnumber all else.
    "delete.retention.ms": str(10 * 60 * 1000),
    # A record holds the differences of many zones.
    "max.message.bytes": str(8 * 1024 * 1024),
    # What the service writes is not compressed (ADR 9): the broker does it for the one topic that only we read.
    "compression.type": "lz4",
}
_INTERNAL = {"__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata"}
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")


class TopicSettings(BaseModel):
    """The settings that name the topics and say how they are made; one field each."""

    model_config = ConfigDict(frozen=True)
    readings_topic: str = setting("readings", "the readings")
    predictions_topic: str = setting("predictions", "the predictions")
    dead_letter_topic: str = setting("readings.dead-letter", "what could not become a prediction")
    changelog_topic: str = setting("", "the open windows, compacted", shown="`<CONSUMER_GROUP>.windows`")
    topic_partitions: WholeNumber = setting(
        4,
        "with how many partitions READINGS_TOPIC is created where it is missing",
        allowed="a whole number from 1 to 100000",
        ge=1,
        le=100_000,
    )
    create_topics: bool = setting(True, "whether missing topics are created", allowed="true or false")
    consumer_group: str = setting("season-consumer", "the service's consumer group")


@dataclass(frozen=True)
class Topics:
    """Names of the four topics, how many partitions a created `readings` gets, and whether we create at all."""

    readings: str
    predictions: str
    dead_letters: str
    changelog: str
    partitions: int
    create: bool

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Topics":
        """Read READINGS_TOPIC and the like. Raises SettingError for a wrong name and for one that comes twice."""
        settings = load(TopicSettings, environ)
        names = {
            "READINGS_TOPIC": settings.readings_topic,
            "PREDICTIONS_TOPIC": settings.predictions_topic,
            "DEAD_LETTER_TOPIC": settings.dead_letter_topic,
            "CHANGELOG_TOPIC": settings.changelog_topic or f"{settings.consumer_group}.windows",
        }
        _check_names(names, derived=not settings.changelog_topic)
        readings, predictions, dead_letters, changelog = names.values()
        return cls(readings, predictions, dead_letters, changelog, settings.topic_partitions, settings.create_topics)


def _check_names(names: Mapping[str, str], derived: bool) -> None:
    setting_of: dict[str, str] = {}
    for variable, name in names.items():
        if not _NAME.fullmatch(name) or name in {".", ".."}:
            source = " (from CONSUMER_GROUP)" if derived and variable == "CHANGELOG_TOPIC" else ""
            raise SettingError(
                f"{variable}={name!r}{source}: a topic's name is allowed, 1 to 249 letters, digits, '.', '_' and '-'"
            )
        if name in _INTERNAL:
            raise SettingError(f"{variable}={name!r}: this topic is Kafka's own; another name is allowed")
        if name in setting_of:
            raise SettingError(
                f"{variable}={name!r}: {setting_of[name]} is the same topic, but four different ones are needed"
            )
        setting_of[name] = variable


@dataclass(frozen=True)
class Topic:
    """What the broker says of a topic; a topic that was deleted and created again has another `topic_id`."""

    name: str
    partitions: int
    topic_id: str


@dataclass(frozen=True)
class Described:
    """The four topics as they stand; changelog and readings have equally many partitions."""

    readings: Topic
    predictions: Topic
    dead_letters: Topic
    changelog: Topic


Stopped = Callable[[], bool]


def ensure_readings(admin: Admin, topics: Topics, stopped: Stopped = lambda: False) -> Topic:
    """Return `readings`, created where missing. Raises SettingError, RefusedError and StoppedError."""
    return _ensure(admin, "READINGS_TOPIC", topics.readings, topics.partitions, {}, topics.create, stopped)


def ensure(admin: Admin, topics: Topics, stopped: Stopped = lambda: False) -> Described:
    """Return all four topics, created where missing. Raises SettingError, RefusedError and StoppedError."""
    readings = ensure_readings(admin, topics, stopped)

    def other(setting: str, name: str, config: dict[str, str]) -> Topic:
        return _ensure(admin, setting, name, readings.partitions, config, topics.create, stopped)

    changelog = other("CHANGELOG_TOPIC", topics.changelog, _CHANGELOG)
    check_partitions(readings, changelog)
    check_policy(changelog.name, cleanup_policy(admin, changelog.name))
    predictions = other("PREDICTIONS_TOPIC", topics.predictions, {})
    dead_letters = other("DEAD_LETTER_TOPIC", topics.dead_letters, _DEAD_LETTER)
    return Described(readings, predictions, dead_letters, changelog)


def check_partitions(readings: Topic, changelog: Topic) -> None:
    """Raise SettingError where the changelog has another number of partitions than the readings."""
    if changelog.partitions != readings.partitions:
        raise SettingError(
            f"CHANGELOG_TOPIC={changelog.name!r} has {changelog.partitions} partitions, but "
            f"READINGS_TOPIC={readings.name!r} has {readings.partitions}: a partition's open windows are kept in the "
            "changelog's partition of the same number, and other zones fall to it now. Take a new CONSUMER_GROUP "
            "(and so a new changelog), and new topics for predictions and dead letters, to read everything anew"
        )


def find(admin: Admin, name: str, timeout: float = 10.0) -> Topic | None:
    """Return a topic, or None where there is none (yet); never create it. Raises RefusedError and ClientError."""
    described = admin.topics([name], timeout)[name]
    if not isinstance(described, ClientError):
        return Topic(name, len(described.partitions), described.topic_id)
    if described.code == Code.UNKNOWN_TOPIC_OR_PART:
        return None
    raise described


def dead_letter_bytes(admin: Admin, topics: Described) -> int:
    """Return the largest dead letter that fits, in bytes: who made the topic may have allowed less than we do."""
    return min(DEAD_LETTER_BYTES, _limit(admin, topics.dead_letters.name) or DEAD_LETTER_BYTES)


def batch_bytes(admin: Admin, topics: Described) -> int | None:
    """Return the largest batch, in bytes, that each of the topics takes, or None where we may not ask."""
    names = (topics.predictions.name, topics.dead_letters.name, topics.changelog.name)
    limits = [limit for name in names if (limit := _limit(admin, name)) is not None]
    return min(limits, default=None)


def _limit(admin: Admin, name: str) -> int | None:
    """Return a topic's `max.message.bytes`, which limits a whole batch; None where the account may not ask."""
    try:
        return int(admin.configuration("topic", name, 10.0)["max.message.bytes"])
    except ClientError:
        return None


def cleanup_policy(admin: Admin, name: str, timeout: float = 10.0) -> str | None:
    """Return a topic's `cleanup.policy`, or None where this account may not ask for it."""
    try:
        return admin.configuration("topic", name, timeout)["cleanup.policy"]
    except ClientError:
        return None


def _ensure(
    admin: Admin,
    setting: str,
    name: str,
    partitions: int,
    config: dict[str, str],
    create: bool,
    stopped: Stopped,
) -> Topic:
    """Ask, create, ask again until the broker's answer is there; what can pass (no leader yet) is waited for."""
    while not stopped():
        try:
            topic = find(admin, name)
            if topic is not None:
                return topic
            if not create:
                raise absent(setting, name)
            _create(admin, Right(CREATE, TOPIC, name, setting), partitions, config)
        except ClientError as error:
            _raise_unless_missing(error, setting, name)
        time.sleep(0.1)
    raise StoppedError


def absent(setting: str, name: str) -> SettingError:
    """Return what to raise for a topic that is missing and that may not be created."""
    return SettingError(
        f"{setting}={name!r}: there is no such topic, and CREATE_TOPICS=false: create it, or set CREATE_TOPICS=true"
    )


def _create(admin: Admin, needed: Right, partitions: int, config: dict[str, str]) -> None:
    try:
        admin.create_topic(needed.name, partitions, config, 10.0)
    except ClientError as error:
        refuse([error], needed)
        # Another program was quicker: as good.
        if error.code != Code.TOPIC_ALREADY_EXISTS:
            raise


_PASSING = {
    Code.TIMED_OUT,
    Code.TRANSPORT,
    Code.ALL_BROKERS_DOWN,
    Code.TIMED_OUT_QUEUE,
    Code.LEADER_NOT_AVAILABLE,
    Code.COORDINATOR_LOAD_IN_PROGRESS,
    Code.NOT_CONTROLLER,
    Code.REQUEST_TIMED_OUT,
    Code.NETWORK_EXCEPTION,
    Code.UNKNOWN_TOPIC_OR_PART,
}


def _raise_unless_missing(error: ClientError, setting: str, name: str) -> None:
    """Return where the error can pass by itself; else raise what it means for a person."""
    refuse([error])
    if not (error.retriable or error.code in _PASSING):
        raise SettingError(f"{setting}={name!r}: the broker refuses this topic: {error.sentence}") from None


def check_policy(name: str, policy: str | None) -> None:
    """Raise SettingError where the changelog is a topic that forgets by age: its windows would be lost in silence."""
    if policy not in (None, "compact"):  # of an account that may not ask, nothing is known against the topic
        raise SettingError(
            f"CHANGELOG_TOPIC={name!r} has cleanup.policy={policy}, but only compact is allowed: what it holds must "
            "not be forgotten by age"
        )
