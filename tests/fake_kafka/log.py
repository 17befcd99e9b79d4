"""One partition in memory: records and the markers that end transactions, each with an offset of its own."""

from dataclasses import dataclass, field

OPEN, COMMITTED, ABORTED = "open", "committed", "aborted"
Headers = list[tuple[str, bytes | None]]


@dataclass(eq=False)
class Transaction:
    """One transaction of a producer. `outcome` is what its coordinator decided, `open` before it did."""

    began: float
    outcome: str = OPEN
    logs: "set[FakeLog]" = field(default_factory=set)


@dataclass(frozen=True, eq=False)
class FakeRecord:
    """A message as it stands in a partition; `transaction` is None where it was written outside of any."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    time: float
    transaction: Transaction | None


class FakeLog:
    """A partition: what a transaction wrote, and all that stands behind it, is held back until its marker comes."""

    def __init__(self) -> None:
        self._entries: list[FakeRecord | None] = []  # None is a marker
        self._unmarked: dict[Transaction, int] = {}  # the first offset of each transaction without a marker
        self.start = 0

    @property
    def end(self) -> int:
        """The offset that is written next: the high watermark offset."""
        return len(self._entries)

    @property
    def stable(self) -> int:
        """The last stable offset: what `read_committed` readers see stands before it."""
        return min(self._unmarked.values(), default=self.end)

    def append(self, record: FakeRecord) -> None:
        """Write a record."""
        if record.transaction is not None:
            record.transaction.logs.add(self)
            self._unmarked.setdefault(record.transaction, self.end)
        self._entries.append(record)

    def mark(self, transaction: Transaction) -> None:
        """Write the marker of a transaction whose outcome is decided."""
        del self._unmarked[transaction]
        self._entries.append(None)

    def next(self, offset: int, committed: bool) -> tuple[int, FakeRecord] | None:
        """Return the first message from an offset on, and where it stands; None where nothing more can be read.

        With `committed` nothing that was aborted is read, and nothing from the last stable offset on.
        """
        for at in range(offset, self.limit(committed)):
            record = self._entries[at]
            if record is not None and not (committed and _aborted(record)):
                return at, record
        return None

    def limit(self, committed: bool) -> int:
        """Return the offset at which reading ends."""
        return self.stable if committed else self.end

    def truncate(self, offset: int) -> None:
        """Forget what stands before an offset, as retention does."""
        self.start = offset


def _aborted(record: FakeRecord) -> bool:
    return record.transaction is not None and record.transaction.outcome == ABORTED
