"""One partition of the readings: how far it is read and committed, beside the pipeline that decides its messages."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from consumer.adapters.decode import Decoded, Rejected
from consumer.core.changelog import Changelog, Record
from consumer.core.outcome import no_scorings, no_windows
from consumer.core.record import Origin
from consumer.decision import Decision
from consumer.pipeline import Pipeline
from season.client.message import KafkaMessage, UnreadableMessage
from season.messages import MALFORMED
from season.topics import Topic


@dataclass(kw_only=True, eq=False)
class Partition:
    """The pipeline, the changelog and the next offset of a partition.

    After each transaction either `committed` or `rollback` is called.
    """

    number: int
    pipeline: Pipeline
    topic: Topic
    changelog: Changelog
    next_offset: int
    committed_offset: int  # the next offset as the changelog has it
    lost: int = 0  # messages that were gone before they were read, as long as that is not committed

    def __post_init__(self) -> None:
        self.at_end = False
        self.begun = False
        self.skipped = False  # the client stands before messages that it cannot read, and must seek past them
        self._last = self.next_offset, copy.copy(self.changelog)

    def begin(self) -> Decision | None:
        """Decide, before anything is read, which windows end because the grace period is shorter now."""
        self.begun = True
        return self.pipeline.end_overdue()

    def read(self, messages: Sequence[KafkaMessage], decoded: Decoded, now: float, end: int) -> Decision:
        """Decide a batch of messages, which became `decoded`.

        `now` is the wall clock in epoch seconds, `end` the partition's as far as it is known.
        """
        self.at_end, self.next_offset = False, self._next(messages, end)
        return self.pipeline.read(messages, decoded, now)

    def skip(self, unreadable: range) -> Decision:
        """Pass over messages that no client can read: each is a dead letter without key and value."""
        self.at_end, self.skipped, self.next_offset = False, True, unreadable.stop
        name = self.topic.name
        sentence = "the message at offset {} of partition {} of {} cannot be unpacked or parsed by the Kafka client"
        return Decision(
            [UnreadableMessage(name, self.number, offset) for offset in unreadable],
            [
                Rejected(row, MALFORMED, sentence.format(offset, self.number, name))
                for row, offset in enumerate(unreadable)
            ],
            no_scorings(),
            *(no_windows(),) * 3,
            self.pipeline.rules.max_filled,
        )

    def reach_end(self, offset: int) -> None:
        """Note that all messages before `offset` are read; transaction markers may lie between."""
        self.at_end = True
        self.next_offset = offset

    def end_idle(self, passed: float) -> Decision | None:
        """Decide, after `passed` seconds more, which windows of idle zones end: only at the partition's end."""
        return self.pipeline.end_idle(passed) if self.at_end else None

    def lag(self, end: int) -> int | None:
        """Return how many messages wait before the offset `end`; transaction markers count until it is reached.

        None where the end is not known yet (-1).
        """
        if self.at_end:
            return 0
        return None if end < 0 else max(0, end - self.next_offset)

    def records(self) -> list[Record]:
        """Return the changelog's records for all that is not committed yet."""
        state = self.pipeline.state
        origin = Origin(self.topic.topic_id, self.next_offset, state.calendar.time_zone, state.calendar.day_start)
        return self.changelog.records(state, state.changes(), origin)

    def committed(self) -> None:
        """Commit the decisions, once their transaction is committed."""
        self.pipeline.state.commit()
        self._last = self.next_offset, copy.copy(self.changelog)
        self.committed_offset, self.lost, self.skipped = self.next_offset, 0, False

    def rollback(self) -> None:
        """Restore everything to the last commit."""
        self.pipeline.state.rollback()
        self.next_offset, self.changelog = self._last[0], copy.copy(self._last[1])
        self.at_end = self.begun = self.skipped = False

    def _next(self, messages: Sequence[KafkaMessage], end: int) -> int:
        """Return the next offset after messages; a publisher can write any offset into a record.

        One at or behind the partition's end is not believed: such a message counts as the one after its predecessor.

        An offset that is too high, but before the end, is corrected by the next message, or when the end is reached.
        """
        last = messages[-1].offset() or 0
        if last < end:
            return last + 1
        before = self.next_offset - 1 if len(messages) < 2 else messages[-2].offset() or 0
        return min(before + 2, end)
