"""The consumer group: its state, and who is in it."""

from collections.abc import Mapping

from consumer.adapters.group import ANSWER_S, taken
from consumer.adapters.source import assignment
from consumer.check.findings import Finding, note, ok, shown, wrong
from consumer.check.patience import patiently, words
from season.client.admin import Admin, MemberDescription
from season.client.errors import ClientError
from season.kafka import DENIALS


def findings(admin: Admin, name: str, environ: Mapping[str, str]) -> list[Finding]:
    """Return what the broker says of the group; joins nothing."""
    try:
        group = patiently(lambda: admin.group(name, ANSWER_S))
    except ClientError as error:
        denied = error.code in DENIALS
        why = "this account may not see it; see the rights above" if denied else words(error)
        return [note(f"CONSUMER_GROUP={name!r}: {why}")]
    if not group.members:
        known = "it has no members now" if group.state != "dead" else "nobody has joined it yet, or long ago"
        return [ok(f"CONSUMER_GROUP={name!r}: {known}")]
    found = [ok(f"CONSUMER_GROUP={name!r}: {group.state}, {group.protocol} protocol, assignor {group.assignor}")]
    found += [shown(_member(member)) for member in group.members]
    ours = assignment(environ).get("partition.assignment.strategy")  # none under the newer protocol
    if ours and group.protocol == "classic" and group.assignor not in {"", ours}:
        found.append(wrong(taken(group)))
    return found


def _member(member: MemberDescription) -> str:
    parts = [f"{topic} {', '.join(map(str, numbers))}" for topic, numbers in member.partitions.items()]
    return f"member {member.client_id} at {member.host}: {'; '.join(parts) or 'no partitions'}"
