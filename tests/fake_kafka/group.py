"""A consumer group in memory: members, generations, who has which partition, and the committed offsets."""

from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException

from tests.fake_kafka.log import Transaction

Key = tuple[str, int]
"""A topic and a partition."""


@dataclass(frozen=True)
class Metadata:
    """Who commits: a member of a group in a generation; generation -1 is one that has not joined."""

    group: str
    member: str = ""
    generation: int = -1


@dataclass
class KnownMember:
    """What the group knows of a member: its generation as of its last heartbeat, and the partitions it has."""

    name: str
    generation: int = -1
    partitions: set[int] = field(default_factory=set)


class FakeGroup:
    """The members of one topic. Partitions move one by one: one that is to move is first given up by its owner."""

    def __init__(self, name: str, partitions: int) -> None:
        self._name, self._partitions = name, partitions
        self._members: dict[str, KnownMember] = {}
        self._joined = 0
        self.generation = 0
        self.offsets: dict[Key, int] = {}
        self._pending: dict[Transaction, dict[Key, int]] = {}

    @property
    def members(self) -> list[str]:
        """The members, in the order in which they joined."""
        return list(self._members)

    def join(self) -> str:
        """Let a new member in, and return its name, which nobody had before."""
        self._joined += 1
        name = f"member-{self._joined}"
        self._members[name] = KnownMember(name)
        self.generation += 1
        return name

    def remove(self, name: str) -> None:
        """Go on without a member: it has left, or its session is over and the group does not wait for it."""
        if self._members.pop(name, None) is not None:
            self.generation += 1

    def heartbeat(self, name: str) -> set[int] | None:
        """Return the partitions that are meant for a member, which has the newest generation now.

        A partition that another one still has is not among them. None where the group has gone on without it.
        """
        member = self._members.get(name)
        if member is None:
            return None
        member.generation = self.generation
        others = {number for other in self._members.values() if other is not member for number in other.partitions}
        return self.targets()[name] - others

    def own(self, name: str, partitions: set[int]) -> None:
        """Note which partitions a member has from now on; what it gives up is another's turn, a new generation."""
        member = self._members.get(name)
        if member is not None:
            if member.partitions - partitions:
                self.generation += 1
            member.partitions = set(partitions)

    def metadata(self, name: str) -> Metadata:
        """Return who a member is, as it knows it itself."""
        member = self._members.get(name)
        return Metadata(self._name, name, -1 if member is None else member.generation)

    def check(self, metadata: Metadata) -> None:
        """Raise KafkaException where an offset commit is refused: the group has gone on without who sends it."""
        if metadata.generation < 0 and not metadata.member:
            return  # who never joined commits like a client without a group, as Kafka has it
        if metadata.member not in self._members:
            raise _refused(KafkaError.UNKNOWN_MEMBER_ID)
        if metadata.generation != self.generation:
            raise _refused(KafkaError.ILLEGAL_GENERATION)

    def add_pending(self, transaction: Transaction, offsets: dict[Key, int]) -> None:
        """Hold offsets back until the transaction that carries them has ended."""
        self._pending.setdefault(transaction, {}).update(offsets)

    def end_pending(self, transaction: Transaction, committed: bool) -> None:
        """Commit what waited for a transaction, or drop it."""
        offsets = self._pending.pop(transaction, {})
        if committed:
            self.offsets |= offsets

    def stable(self, key: Key) -> bool:
        """Return whether no transaction is open that carries an offset of this partition."""
        return not any(key in offsets for offsets in self._pending.values())

    def targets(self) -> dict[str, set[int]]:
        """Return which partitions each member is to have: evenly many, and of those that it has as many as may be."""
        count = len(self._members)
        shares = [(self._partitions + count - 1 - i) // count for i in range(count)]
        members = sorted(self._members.values(), key=lambda member: -len(member.partitions))
        targets = {
            member.name: set(sorted(member.partitions)[:share]) for member, share in zip(members, shares, strict=True)
        }
        free = [number for number in range(self._partitions) if not any(number in t for t in targets.values())]
        for member, share in zip(members, shares, strict=True):
            missing = share - len(targets[member.name])
            targets[member.name] |= set(free[:missing])
            free = free[missing:]
        return targets


def _refused(code: int) -> KafkaException:
    return KafkaException(KafkaError(code, txn_requires_abort=True))
