"""Describes the consumer group, and words the refusal where another application is in it."""

from collections.abc import Sequence

from season.client.admin import Admin, GroupDescription, MemberDescription
from season.client.errors import ClientError
from season.settings import RefusedError, SettingError

ANSWER_S = 5.0  # that the broker may need to describe a group
_MAX_NAMED_MEMBERS = 5


class ForeignGroupError(Exception):
    """The group does not accept this service: its members speak another protocol, or have another assignor."""


def foreign(admin: Admin, name: str, error: ForeignGroupError) -> SettingError | RefusedError:
    """Return what to raise where the group does not accept this service; the sentence says who is in it."""
    try:
        group = admin.group(name, ANSWER_S)
    except ClientError as unknown:
        return SettingError(
            f"CONSUMER_GROUP={name!r}: the group does not take this service ({error}), and who is in it cannot "
            f"be told ({unknown.sentence}); a group that no other application uses is allowed"
        )
    if not group.members:
        return RefusedError(f"Kafka: CONSUMER_GROUP={name!r}: {error}")
    return SettingError(taken(group))


def taken(group: GroupDescription) -> str:
    """Return the sentence for a group that others are in, with whom this service cannot share it."""
    return (
        f"CONSUMER_GROUP={group.name!r}: another application is in this group, with the assignor "
        f"{group.assignor!r} and the {group.protocol} protocol, which this service cannot join: "
        f"{_named(group.members)}. A group that no other application uses is allowed; or "
        "end those members, if they should not be there"
    )


def _named(members: Sequence[MemberDescription]) -> str:
    """Return the members' names and hosts, the first of them where they are many."""
    named = sorted({f"{member.client_id} at {member.host}" for member in members})
    more = len(named) - _MAX_NAMED_MEMBERS
    return ", ".join(named[:_MAX_NAMED_MEMBERS]) + (f" and {more} more" if more > 0 else "")
