"""Where the partitions of a topic ended when a reading began: how far `--until-now` reads.

An end is a last stable offset: what an open transaction holds back is not waited for. Nothing says that a message
stands right before an end, since markers of transactions have offsets too. So a partition is read to its end when
a message at the end or behind it comes, or when the client says that nothing more is there.
"""

from collections.abc import Mapping

from season.client.consumer import Batch
from season.client.message import KafkaMessage


class EndOffsets:
    """Which partitions are still to be read, and up to which offset; changed by what comes."""

    def __init__(self, ends: Mapping[int, int]) -> None:
        self._ends = dict(ends)
        self._open = {partition for partition, end in ends.items() if end > 0}

    @property
    def reached(self) -> bool:
        """Return whether every partition has been read up to its end."""
        return not self._open

    def within(self, batch: Batch) -> list[KafkaMessage]:
        """Return those messages that stand before the ends, and note what has been reached."""
        before = []
        for partition, messages in batch.runs:
            end = self._ends.get(partition, 0)
            before += [message for message in messages if (message.offset() or 0) < end]
            if any((message.offset() or 0) >= end - 1 for message in messages):
                self._open.discard(partition)
        for event in batch.events:
            if event.is_end:
                self._open.discard(event.partition)
        return before
