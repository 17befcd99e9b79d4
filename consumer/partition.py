"""One partition of the readings: its state, and the decisions on its messages."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Message

from consumer.adapters.decode import Decoded, Rejected, decode
from consumer.core.changelog import Changelog, Record
from consumer.core.idle import IdleZones, idle_stream_times
from consumer.core.outcome import Outcome, Rules, Scorings, Windows, no_scorings, no_windows
from consumer.core.record import Origin
from consumer.core.state import State
from season import instants
from season.calendar import I64
from season.messages import MALFORMED

FUTURE = "future_reading"
LATE = "late"


@dataclass(frozen=True, eq=False)
class Decision:
    """What follows from a batch, or from idle time, before the model scores.

    `rejected` are the messages that become dead letters, with their rows in `messages`. The causes of `scorings` and
    of the dead letters `incomplete` and `constant` are rows as well, -1 where no message caused them.
    """

    messages: Sequence[Message]
    rejected: list[Rejected]
    scorings: Scorings
    incomplete: Windows
    constant: Windows
    flattened: Windows
    max_filled: int
    names: tuple[str, ...] = ()
    repeats: int = 0
    corrections: int = 0


@dataclass
class Partition:
    """The state, the changelog and the next offset of a partition, with changes that are not committed yet.

    After each transaction either `committed` or `rollback` is called.
    """

    number: int
    partitions: int
    rules: Rules
    topic_id: str
    state: State
    changelog: Changelog
    idle_zones: IdleZones
    next_offset: int
    committed_offset: int  # the next offset as the changelog has it
    lost: int = 0  # messages that were deleted before they were read, until that is committed
    at_end: bool = False
    begun: bool = False
    skipped: bool = False  # the client stands before messages that it cannot read, and must seek past them

    def __post_init__(self) -> None:
        self._last = self.next_offset, copy.copy(self.changelog)

    def decode(self, messages: Sequence[Message]) -> Decoded:
        """Return the readings among messages; this reads no state."""
        keys, values = list(map(Message.key, messages)), list(map(Message.value, messages))
        return decode(keys, values, self.partitions, self.state.calendar)

    def read(self, messages: Sequence[Message], decoded: Decoded, now: float, end: int) -> Decision:
        """Decide a batch of messages, which became `decoded`.

        `now` is the wall clock in epoch seconds, `end` the partition's as far as it is known.
        """
        self.at_end = False
        known = self.state.known
        outcome = self.state.read(decoded.readings, now, self.rules)
        self.idle_zones.note_readings(outcome.accepted_zones)
        self.next_offset = self._next(messages, end)
        rows = np.append(decoded.rows, -1)
        instants = decoded.readings.records["instant"]
        rejected = decoded.rejected + self._future(instants, rows, outcome, now)
        rejected += self._late(instants, rows, outcome)
        return Decision(
            messages,
            rejected,
            _at_rows(outcome.scorings, rows),
            outcome.incomplete.at(rows),
            outcome.constant.at(rows),
            outcome.flattened,
            self.rules.max_filled,
            tuple(self.state.names.texts(np.arange(known, self.state.known))),
            outcome.repeats,
            outcome.corrections,
        )

    def skip(self, topic: str, unreadable: range) -> Decision:
        """Pass over messages that no client can read: each is a dead letter without key and value."""
        self.at_end, self.skipped, self.next_offset = False, True, unreadable.stop
        sentence = "the message at offset {} of partition {} of {} cannot be unpacked or parsed by the Kafka client"
        return Decision(
            [Message(topic, self.number, offset) for offset in unreadable],
            [
                Rejected(row, MALFORMED, sentence.format(offset, self.number, topic))
                for row, offset in enumerate(unreadable)
            ],
            no_scorings(),
            *(no_windows(),) * 3,
            self.rules.max_filled,
        )

    def reach_end(self, offset: int) -> None:
        """Note that all messages before `offset` are read; transaction markers may lie between."""
        self.at_end = True
        self.next_offset = offset

    def lag(self, end: int) -> int | None:
        """Return how many messages wait before the offset `end`; transaction markers count until it is reached.

        None where the end is not known yet (-1).
        """
        if self.at_end:
            return 0
        return None if end < 0 else max(0, end - self.next_offset)

    def begin(self) -> Decision | None:
        """Decide, before anything is read, which windows end because the grace period is shorter now."""
        self.begun = True
        return self._advance(np.arange(self.state.known), self.state.stream.copy())

    def end_idle(self, passed: float) -> Decision | None:
        """Decide, after `passed` seconds more, which windows of idle zones end."""
        if not self.at_end:
            return None
        self.idle_zones.pass_time(passed)
        zones = self.idle_zones.idle(self.state)
        return self._advance(zones, idle_stream_times(self.state, zones, self.rules)) if len(zones) else None

    def records(self) -> list[Record]:
        """Return the changelog's records for all that is not committed yet."""
        calendar = self.state.calendar
        origin = Origin(self.topic_id, self.next_offset, calendar.time_zone, calendar.day_start)
        return self.changelog.records(self.state, self.state.changes(), origin)

    def committed(self) -> None:
        """Commit the decisions, once their transaction is committed."""
        self.state.commit()
        self._last = self.next_offset, copy.copy(self.changelog)
        self.committed_offset, self.lost, self.skipped = self.next_offset, 0, False

    def rollback(self) -> None:
        """Restore everything to the last commit."""
        self.state.rollback()
        self.next_offset, self.changelog = self._last[0], copy.copy(self._last[1])
        self.at_end = self.begun = self.skipped = False

    def _next(self, messages: Sequence[Message], end: int) -> int:
        """Return the next offset after messages; a publisher can write any offset into a record.

        One at or behind the partition's end is not believed: such a message counts as the one after its predecessor.

        An offset that is too high, but before the end, is corrected by the next message, or when the end is reached.
        """
        last = messages[-1].offset() or 0
        if last < end:
            return last + 1
        before = self.next_offset - 1 if len(messages) < 2 else messages[-2].offset() or 0
        return min(before + 2, end)

    def _advance(self, zones: I64, stream: I64) -> Decision | None:
        endings = self.state.advance(zones, stream, self.rules)
        if not self.state.changed:
            return None
        parts = (endings.scored, endings.incomplete, endings.constant, no_windows())
        return Decision((), [], *parts, self.rules.max_filled)

    def _future(self, times: I64, rows: I64, outcome: Outcome, now: float) -> list[Rejected]:
        sentence = "timestamp {} is more than {} (MAX_FUTURE) ahead of the wall clock, {}"
        return [
            Rejected(
                int(rows[i]),
                FUTURE,
                sentence.format(instants.format(int(times[i])), self.rules.max_future, instants.format(int(now))),
            )
            for i in outcome.future
        ]

    def _late(self, times: I64, rows: I64, outcome: Outcome) -> list[Rejected]:
        sentence = "timestamp {} is late: its window's end, {}, and {} of grace (GRACE_PERIOD) after it are over"
        ends = self.state.calendar.ends(outcome.late_days)
        return [
            Rejected(
                int(rows[i]),
                LATE,
                sentence.format(instants.format(int(times[i])), instants.format(int(end)), self.rules.grace_period),
            )
            for i, end in zip(outcome.late, ends, strict=True)
        ]


def _at_rows(scorings: Scorings, rows: I64) -> Scorings:
    return Scorings(scorings.windows.at(rows), scorings.steps, scorings.filled, scorings.revisions)
