"""Finds out which messages no client can read, where a client stands still before them for ever.

For a batch that it cannot unpack, a client reports again and again where it begins, but not where it ends. For a
record that it cannot parse (a length below -1, which the broker accepts) it reports nothing at all. So a client of
its own asks for one offset after the other. A message, or the partition's end, shows that an offset can be read. The
same batch's error, or answers with data that do not move the client, show that it cannot.
"""

import json
import time
from collections import deque
from typing import Any

from season.client.consumer import PartitionEvent, TopicConsumer
from season.client.errors import Code

UNREADABLE = {Code.BAD_COMPRESSION, Code.NOT_IMPLEMENTED}
"""The client's errors for a batch that it cannot unpack."""

MAX_OFFSETS = 4096  # offsets that one trial finds: so many dead letters go into one transaction
_MIN_FAILURES = 3  # so many answers must have failed before an offset counts as unreadable
_TIMEOUT_S = 30.0  # a broker that is away answers nothing, which says nothing about its messages
_QUICK: dict[str, Any] = {
    "group.id": "none",  # the client wants one; no group is joined
    "fetch.error.backoff.ms": 20,
    "statistics.interval.ms": 50,
}
_BEYOND = {Code.AUTO_OFFSET_RESET, Code.OFFSET_OUT_OF_RANGE}


class Trial:
    """One partition from one offset on. Not for use by several threads."""

    def __init__(self, properties: dict[str, Any], topic: str, partition: int, first: int) -> None:
        """Get the `properties` of a consumer that does not become member of a group."""
        self.first = first
        self._topic, self._partition = topic, partition
        self._until = time.monotonic() + _TIMEOUT_S
        self._last = first - 1  # the last offset that is known to be unreadable
        self._batch: int | None = (
            None  # where the batch of the last unreadable offset begins; None: a record alone is at fault
        )
        self._readable: int | None = (
            None  # an offset behind `_last` that is known to be readable, or part of another trial
        )
        self._step = 1
        self._errors = 0
        # Not a method of this object: it and the client would form a cycle, and live until that is collected.
        self._statistics: deque[str] = deque(maxlen=1)
        self._consumer = TopicConsumer({**properties, **_QUICK}, topic, on_statistics=self._statistics.append)
        self._ask(first)

    def unreadable(self) -> range | None:
        """Return the offsets from the first on that cannot be read, at most `MAX_OFFSETS`; None until it is known."""
        batch = self._consumer.poll(0)
        if self._statistics:
            self._note_statistics(self._statistics.pop())
        mine = [event for event in batch.events if event.partition == self._partition]
        if batch.runs:
            self._note_readable()
        elif mine:
            self._note_event(mine[0])
        elif self._stuck >= _MIN_FAILURES:
            self._fail(None)
        return range(self.first, self._last + 1) if self._found() else None

    def close(self) -> None:
        """End the client."""
        self._consumer.close()

    def _note_event(self, event: PartitionEvent) -> None:
        """Note what was met at the offset asked for; an error may also be about one that was asked for before."""
        if event.error.code in UNREADABLE:
            self._fail(event.offset)
        elif event.is_end or (event.error.code in _BEYOND and event.offset == self._asked):
            self._note_readable()

    def _note_readable(self) -> None:
        self._readable = self._asked
        self._go_on()

    def _found(self) -> bool:
        many = self._last - self.first + 1 >= MAX_OFFSETS
        return many or self._readable == self._last + 1 or time.monotonic() > self._until

    def _fail(self, batch: int | None) -> None:
        """Note that the offset asked for cannot be read: `batch` says whether a whole batch begins there."""
        if self._last < self.first:
            self._errors += 1
            if batch is not None and self._errors < _MIN_FAILURES:
                return
            self._batch = batch
        if batch == self._batch:
            self._last = self._asked
        else:
            self._readable = self._asked  # another trial's
        self._go_on()

    def _go_on(self) -> None:
        """Ask for an offset further on: twice as far each time, then halfway between what is known."""
        if self._found():
            return
        if self._readable is not None:
            step = (self._readable - self._last) // 2
        else:
            step = min(self._step, self.first + MAX_OFFSETS - 1 - self._last)
            self._step *= 1 if self._batch is None else 2
        self._ask(self._last + step)

    def _ask(self, offset: int) -> None:
        self._asked, self._stuck, self._before = offset, 0, -1
        self._consumer.assign({self._partition: offset})

    def _note_statistics(self, text: str) -> None:
        """Count the answers with data that did not move the client."""
        statistics = json.loads(text)
        if fetching(statistics, self._topic, self._partition) != self._asked:
            return
        if self._before < 0:
            self._before = partial(statistics)
        self._stuck = partial(statistics) - self._before


def fetching(statistics: dict[str, Any], topic: str, partition: int) -> int | None:
    """Return the offset from which a client reads on, by its statistics."""
    offset = statistics["topics"].get(topic, {}).get("partitions", {}).get(str(partition), {}).get("next_offset")
    return offset if isinstance(offset, int) else None


def partial(statistics: dict[str, Any]) -> int:
    """Return how many answers a client could not parse to their end, by its statistics."""
    return sum(int(broker["rxpartial"]) for broker in statistics["brokers"].values())
