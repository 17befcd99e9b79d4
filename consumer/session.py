"""Kafka as the loop uses it: readings come from a source, and a transaction ends while the loop reads on.

A transaction that was not committed has one of two reactions, which `recover` tells apart: what it had decided is
rolled back in memory or, where nobody knows whether it was committed, restored from the changelog.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from consumer.adapters.source import Source
from consumer.adapters.transaction import AbortedError, ExpiredError, Output, Transactions
from consumer.partition import Partition
from consumer.writing import Writing
from season.topics import Described


@dataclass(frozen=True, kw_only=True)
class Session:
    """The membership in the group, the transactional producer and the topics; `letter_bytes` limits a dead letter."""

    source: Source
    transactions: Transactions
    writing: Writing
    topics: Described
    letter_bytes: int
    stopped: threading.Event

    def begin(self, outputs: Iterable[Output], next_offsets: Mapping[int, int]) -> None:
        """Write outputs, and let them be committed with the next offsets while the caller goes on.

        Raises AbortedError, FencedError, RefusedError.
        """
        member = self.source.group_metadata()
        if member is None:
            raise AbortedError("this member was thrown out of its group")
        self.transactions.start(outputs, self.topics.readings.name, next_offsets, member)

    def finish(self) -> None:
        """Wait until what was begun is committed. Raises AbortedError, FencedError, RefusedError."""
        self.transactions.finish()
        self.writing.committed()

    def recover(self, error: AbortedError) -> bool:
        """Wait before the next try; return whether it is unknown if the transaction was committed.

        Raises RefusedError where it will never be, FencedError and StoppedError.
        """
        self.stopped.wait(self.writing.aborted(error))
        if not isinstance(error, ExpiredError):
            return False
        self.transactions.acquire_id(self.writing.waiting)
        return True

    def flow(self, partitions: Iterable[Partition]) -> None:
        """Let partitions flow from their next offsets."""
        for partition in partitions:
            self.source.start(partition.number, partition.next_offset)
