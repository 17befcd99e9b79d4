"""Describes the consumer group, and words the refusal where another application is in it."""

from dataclasses import dataclass

from confluent_kafka import ConsumerGroupType, KafkaException
from confluent_kafka.admin import AdminClient

from season.settings import RefusedError, SettingError

_ANSWER_WITHIN_S = 5.0
_MAX_NAMED_MEMBERS = 5


class ForeignGroupError(Exception):
    """The group does not accept this service: its members speak another protocol, or have another assignor."""


@dataclass(frozen=True)
class GroupMember:
    """One member: what its client calls itself, where it runs, and the partitions that it has, by topic."""

    client_id: str
    host: str
    partitions: dict[str, list[int]]


@dataclass(frozen=True)
class Group:
    """The group as it stands; `assignor` is "" where there are no members."""

    name: str
    state: str
    protocol: str
    assignor: str
    members: tuple[GroupMember, ...]


def describe(admin: AdminClient, name: str) -> Group:
    """Return the group, as the broker describes it. Raises KafkaException."""
    described = admin.describe_consumer_groups([name], request_timeout=_ANSWER_WITHIN_S)[name].result()
    protocol = "consumer" if described.type == ConsumerGroupType.CONSUMER else "classic"
    members = tuple(
        GroupMember(member.client_id, member.host.removeprefix("/"), _by_topic(member.assignment))
        for member in described.members
    )
    return Group(name, described.state.name.lower(), protocol, described.partition_assignor, members)


def foreign(admin: AdminClient, name: str, error: ForeignGroupError) -> SettingError | RefusedError:
    """Return what to raise where the group does not accept this service; the sentence says who is in it."""
    try:
        group = describe(admin, name)
    except KafkaException as exception:
        return SettingError(
            f"CONSUMER_GROUP={name!r}: the group does not take this service ({error}), and who is in it cannot "
            f"be told ({exception.args[0].str()}); a group that no other application uses is allowed"
        )
    if not group.members:
        return RefusedError(f"Kafka: CONSUMER_GROUP={name!r}: {error}")
    return SettingError(taken(group))


def taken(group: Group) -> str:
    """Return the sentence for a group that others are in, with whom this service cannot share it."""
    return (
        f"CONSUMER_GROUP={group.name!r}: another application is in this group, with the assignor "
        f"{group.assignor!r} and the {group.protocol} protocol, which this service cannot join: "
        f"{_named(group.members)}. A group that no other application uses is allowed; or "
        "end those members, if they should not be there"
    )


def _named(members: tuple[GroupMember, ...]) -> str:
    """Return the members' names and hosts, the first of them where they are many."""
    named = sorted({f"{member.client_id} at {member.host}" for member in members})
    more = len(named) - _MAX_NAMED_MEMBERS
    return ", ".join(named[:_MAX_NAMED_MEMBERS]) + (f" and {more} more" if more > 0 else "")


def _by_topic(assignment: object) -> dict[str, list[int]]:
    partitions: dict[str, list[int]] = {}
    for at in getattr(assignment, "topic_partitions", None) or []:
        partitions.setdefault(at.topic, []).append(at.partition)
    return {topic: sorted(numbers) for topic, numbers in sorted(partitions.items())}
