"""What one transaction commits: decisions, the messages that they lead to, and the next offsets."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from consumer.adapters.model import Model
from consumer.adapters.transaction import Output
from consumer.decision import Decision
from consumer.partition import Partition
from consumer.pipeline import score
from season.topics import Described


@dataclass
class TransactionTally:
    """What is counted of a transaction, for the metrics once it is committed."""

    readings: int = 0
    repeats: int = 0
    corrections: int = 0
    lost: int = 0
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


class Work:
    """The decisions of one transaction, in their order, and the partitions whose next offsets it commits.

    `began` is when it was begun, in seconds that only ever grow.
    """

    def __init__(self, began: float) -> None:
        self.began = began
        self.partitions: dict[int, Partition] = {}
        self.decisions: list[tuple[Partition, Decision]] = []
        self.tally = TransactionTally()

    def add(self, partition: Partition, decision: Decision | None) -> None:
        """Add what a partition decided, if it decided anything."""
        if decision is not None:
            self.commit_offset(partition)
            self.decisions.append((partition, decision))

    def commit_offset(self, partition: Partition) -> None:
        """Commit the partition's next offset, though nothing was decided."""
        self.partitions[partition.number] = partition

    def next_offsets(self) -> dict[int, int]:
        """Return the next offset of each partition."""
        return {number: partition.next_offset for number, partition in self.partitions.items()}

    def outputs(self, model: Model, topics: Described, letter_bytes: int) -> Iterator[Output]:
        """Score the windows, count what happens, and yield the messages of the transaction.

        Predictions and dead letters, each of at most `letter_bytes`, come first, then the changelog's records.
        """
        tally = self.tally
        decisions = [(partition.pipeline, decision) for partition, decision in self.decisions]
        for (_, decision), written in zip(decisions, score(decisions, model, letter_bytes), strict=True):
            tally.readings += len(decision.messages)
            tally.repeats += decision.repeats
            tally.corrections += decision.corrections
            tally.labels.update(written.labels)
            tally.reasons.update(written.reasons)
            for key, value in written.predictions:
                yield topics.predictions.name, key, value, None, -1
            for letter in written.letters:
                yield topics.dead_letters.name, letter.key, letter.value, letter.headers, -1
        for number, partition in self.partitions.items():
            tally.lost += partition.lost
            for record_key, record in partition.records():
                yield topics.changelog.name, record_key, record, None, number
