"""Finds out whether the four topics exist, and whether their settings fit."""

from collections.abc import Mapping

from consumer.check.findings import Finding, note, ok, refused, wrong
from season.client.admin import Admin, TopicDescription
from season.client.errors import ClientError, Code
from season.kafka import DENIALS
from season.settings import SettingError
from season.topics import DEAD_LETTER_BYTES, Topic, Topics, absent, check_partitions, check_policy

_ANSWER_S = 10.0
_SHOWN = ("max.message.bytes", "cleanup.policy")
_MINIMUM = "min.insync.replicas"

Configuration = Mapping[str, str]


def findings(admin: Admin, topics: Topics) -> list[Finding]:
    """Return what stands for or against each topic; creates none."""
    names = {
        "READINGS_TOPIC": topics.readings,
        "CHANGELOG_TOPIC": topics.changelog,
        "PREDICTIONS_TOPIC": topics.predictions,
        "DEAD_LETTER_TOPIC": topics.dead_letters,
    }
    answers = admin.topics(names.values(), _ANSWER_S)
    found: list[Finding] = []
    there: dict[str, Topic] = {}
    for setting, name in names.items():
        described = answers[name]
        if isinstance(described, ClientError):
            found.append(_not_described(described, setting, name, topics))
            continue
        configuration = _configuration(admin, name)
        there[setting] = Topic(name, len(described.partitions), described.topic_id)
        found += [_described(setting, there[setting], configuration), *_replicas(setting, described, configuration)]
        found += _limits(setting, name, configuration)
    return [*found, *_partitions(there)]


def _not_described(error: ClientError, setting: str, name: str, topics: Topics) -> Finding:
    if error.code == Code.UNKNOWN_TOPIC_OR_PART:
        if not topics.create:
            return wrong(str(absent(setting, name)))
        count = (
            f"{topics.partitions} partitions" if setting == "READINGS_TOPIC" else "as many partitions as readings has"
        )
        return note(f"{setting}={name!r}: there is no such topic; the start creates it, with {count}")
    if error.code in DENIALS:
        return note(f"{setting}={name!r}: this account may not see whether it is there", "see the rights below")
    return refused(f"{setting}={name!r}: {error.sentence}")


def _described(setting: str, topic: Topic, configuration: Configuration) -> Finding:
    shown = [f"{name} {configuration[name]}" for name in _SHOWN if name in configuration]
    limits = ", ".join(shown) or "its limits cannot be told, since DESCRIBE_CONFIGS is not allowed"
    return ok(f"{setting}={topic.name!r}: {topic.partitions} partitions; {limits}")


def _configuration(admin: Admin, name: str) -> Configuration:
    """Return a topic's configuration; empty where this account may not ask for it."""
    try:
        return admin.configuration("topic", name, _ANSWER_S)
    except ClientError:
        return {}


def _replicas(setting: str, described: TopicDescription, configuration: Configuration) -> list[Finding]:
    """Return what keeps partitions from being read or written: no leader, or too few replicas in sync."""
    found = []
    leaderless = [partition.number for partition in described.partitions if not partition.has_leader]
    if leaderless:
        found.append(
            refused(
                f"{setting}={described.name!r}: the partitions {leaderless} have no leader, and can be neither "
                "read nor written",
                "bring the brokers back that hold them",
            )
        )
    least = int(configuration.get(_MINIMUM, 1))
    short = [p.number for p in described.partitions if p.has_leader and p.in_sync < least]
    if short:
        found.append(
            refused(
                f"{setting}={described.name!r}: the partitions {short} have fewer replicas in sync than {_MINIMUM} "
                f"({least}), so the broker takes no message for them",
                "bring the brokers back that hold the others",
            )
        )
    return found


def _limits(setting: str, name: str, configuration: Configuration) -> list[Finding]:
    policy = configuration.get("cleanup.policy")
    if setting == "CHANGELOG_TOPIC" and policy is not None:
        try:
            check_policy(name, policy)
        except SettingError as error:
            return [wrong(str(error), f"{_alter(name)} --add-config cleanup.policy=compact")]
    if setting == "READINGS_TOPIC" and policy is not None and "compact" in policy:
        return [
            note(
                f"{setting}={name!r} is compacted: of each zone the broker keeps the latest reading alone",
                f"{_alter(name)} --add-config cleanup.policy=delete",
            )
        ]
    size = int(configuration.get("max.message.bytes", DEAD_LETTER_BYTES))
    if setting == "DEAD_LETTER_TOPIC" and size < DEAD_LETTER_BYTES:
        return [
            note(
                f"{setting}={name!r}: of an original that is larger than {size} bytes, the value is left out",
                f"{_alter(name)} --add-config max.message.bytes={DEAD_LETTER_BYTES + 16 * 1024}",
            )
        ]
    return []


def _alter(name: str) -> str:
    return f"kafka-configs.sh --alter --entity-type topics --entity-name {name}"


def _partitions(there: Mapping[str, Topic]) -> list[Finding]:
    """Return the finding for a changelog that has another number of partitions than the readings."""
    if not {"READINGS_TOPIC", "CHANGELOG_TOPIC"} <= there.keys():
        return []
    try:
        check_partitions(there["READINGS_TOPIC"], there["CHANGELOG_TOPIC"])
    except SettingError as error:
        return [wrong(str(error))]
    return []
