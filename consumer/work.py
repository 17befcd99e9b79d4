"""What one transaction comes to: what partitions decided, the messages of that, and what is counted of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from consumer.adapters.model import Model
from consumer.partition import Decision, Partition
from consumer.results import Results, results


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
    """The decisions of one transaction, in their order, and the partitions whose next offsets it commits."""

    def __init__(self) -> None:
        self.partitions: dict[int, Partition] = {}
        self.decisions: list[tuple[Partition, Decision]] = []
        self.tally = TransactionTally()
        self.began = 0.0  # when its transaction began, by the monotonic clock

    def keep_offset(self, partition: Partition) -> None:
        """Commit the partition's next offset, though nothing was decided."""
        self.partitions[partition.number] = partition

    def add(self, partition: Partition, decision: Decision | None) -> None:
        """Add what a partition decided, if it decided anything."""
        if decision is not None:
            self.keep_offset(partition)
            self.decisions.append((partition, decision))

    def results(self, model: Model, limit: int) -> Iterator[Results]:
        """Score the windows of all decisions in one call; yield what is written of each, and count it.

        A dead letter has at most `limit` bytes.
        """
        tally = self.tally
        tally.lost = sum(partition.lost for partition in self.partitions.values())
        if not self.decisions:
            return
        logits = model.score(np.concatenate([decision.scorings.steps for _, decision in self.decisions]))
        start = 0
        for partition, decision in self.decisions:
            end = start + len(decision.scorings.steps)
            written = results(decision, partition.state, logits[start:end], model, limit)
            tally.readings += len(decision.messages)
            tally.repeats += decision.repeats
            tally.corrections += decision.corrections
            tally.labels.update(written.labels)
            tally.reasons.update(written.reasons)
            yield written
            start = end
