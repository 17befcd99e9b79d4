"""Watches for readings that wait while nobody reads them: behind a publisher's open transaction, or for any reason.

Two policies on the same facts of each partition: how far this instance has read, and where the topic ends. Time is an
argument. Each logs once when a wait begins and once when it is over, and returns numbers for the metrics.
"""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

HELD_S = 10.0  # a publisher's transaction that is open for longer is logged: Kafka Streams' and our own end by then
STALLED_S = 60.0  # readings that wait for longer, while none is read, are logged


@dataclass(frozen=True)
class PartitionEnds:
    """Where a partition of the readings ends, as the broker says.

    `stable` is the last stable offset: messages from there on wait behind an open transaction; `end` is the high
    watermark offset.
    """

    stable: int
    end: int


class Log(Protocol):
    """The logger that is used here."""

    def warning(self, event: str, **context: object) -> None:
        """Log that a wait began."""

    def info(self, event: str, **context: object) -> None:
        """Log that it is over."""


@dataclass
class HeldReadings:
    """Readings that wait behind open transactions of publishers."""

    log: Log
    _since: dict[int, tuple[int, float]] = field(default_factory=dict)  # partition -> offset, when it was seen first
    _reported: set[int] = field(default_factory=set)
    _seen: Mapping[int, PartitionEnds] = field(default_factory=dict)  # the last answer
    standing: frozenset[int] = frozenset()
    """Partitions whose readings have been held by one transaction in at least two answers of the broker."""

    def observe(self, ends: Mapping[int, PartitionEnds], now: float, wall: float) -> int:
        """Look at the partitions of this instance; return how many messages are held in all of them.

        `now` only ever grows; `wall` is the wall clock in epoch seconds, for the log.
        """
        held = sum(max(0, at.end - at.stable) for at in ends.values())
        if ends is self._seen:  # no new answer: the old one may not hold any more
            return held
        self._seen = ends
        for partition in self._since.keys() - ends.keys():
            self._forget(partition)
        for partition, at in ends.items():
            if at.end <= at.stable:
                self._over(partition)
                continue
            offset, since = self._since.setdefault(partition, (at.stable, now))
            if offset != at.stable:  # that transaction ended, and another one is open behind it
                self._over(partition)
                self._since[partition] = at.stable, now
            elif now - since >= HELD_S and partition not in self._reported:
                self._reported.add(partition)
                self.log.warning(
                    "readings wait behind an open transaction of a publisher's, and cannot be read before it ends: "
                    "its publisher ends it or, after its transaction.timeout.ms, the broker; one that the broker has "
                    "forgotten is ended with kafka-transactions.sh find-hanging and abort",
                    partition=partition,
                    offset=at.stable,
                    messages=at.end - at.stable,
                    since=_instant(wall - (now - since)),
                )
        self.standing = frozenset(partition for partition, (_, since) in self._since.items() if since < now)
        return held

    def _over(self, partition: int) -> None:
        if partition in self._reported:
            self.log.info("the publisher's transaction has ended: readings flow again", partition=partition)
        self._forget(partition)

    def _forget(self, partition: int) -> None:
        self._since.pop(partition, None)
        self._reported.discard(partition)


@dataclass
class StalledReadings:
    """Partitions whose readings wait while none is read, whatever the cause."""

    log: Log
    _still: dict[int, tuple[int, float]] = field(default_factory=dict)  # partition -> next offset, since when
    _reported: set[int] = field(default_factory=set)

    def observe(
        self,
        next_offsets: Mapping[int, int],
        ends: Mapping[int, PartitionEnds],
        now: float,
        causes: Mapping[int, str],
    ) -> float:
        """Look at the next offsets; return for how many seconds, at most, readings have waited with none being read.

        `causes` says of a partition why it may stand still, in a few words, where that is known.
        """
        for partition in self._still.keys() - next_offsets.keys():
            self._move(partition)
        for partition, offset in next_offsets.items():
            waits = partition in ends and ends[partition].end > offset
            if not waits or self._still.get(partition, (offset, now))[0] != offset:
                self._move(partition)
            if waits:
                self._still.setdefault(partition, (offset, now))
        longest = max((now - since for _, since in self._still.values()), default=0.0)
        for partition, offset, since in list(self._unreported()):
            if now - since >= STALLED_S:
                self._reported.add(partition)
                self.log.warning(
                    "readings wait, and none has been read for a minute",
                    partition=partition,
                    offset=offset,
                    messages=ends[partition].end - offset,
                    likely_cause=causes.get(partition) or _cause(offset, ends[partition]),
                )
        return longest

    def _unreported(self) -> Iterator[tuple[int, int, float]]:
        return ((p, offset, since) for p, (offset, since) in self._still.items() if p not in self._reported)

    def _move(self, partition: int) -> None:
        if partition in self._reported:
            self.log.info("readings are read again", partition=partition)
        self._still.pop(partition, None)
        self._reported.discard(partition)


def _cause(offset: int, ends: PartitionEnds) -> str:
    if ends.stable <= offset:
        return "an open transaction of a publisher's"
    return "fetches do not come back: the network, the partition's leader, or a quota of the broker's"


def _instant(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
