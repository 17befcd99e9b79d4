"""Reads a changelog's records back, in their order, into the state of its partition.

Compaction may leave superseded records or remove them. All others must be there: without one of them the state would
differ from what was committed.
"""

from consumer.core.changelog import Changelog, cost, number
from consumer.core.claim import is_claim
from consumer.core.record import DamagedError, Origin, decode
from consumer.core.state import State
from season.calendar import Calendar


class Replay:
    """One partition that is being restored; `state` is complete once `finish` has been called."""

    def __init__(self, calendar: Calendar) -> None:
        self.state = State(calendar)
        self.origin: Origin | None = None  # None before the first record
        self._log = Changelog(oldest=-1, next_number=-1)  # -1: no record was read yet
        self._hole = -1  # the highest number that was skipped so far
        self._size = self._records = 0  # of the differences since the last chunk

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        """Apply one record to the state; a claim changes nothing. Raises DamagedError."""
        if is_claim(key):
            return
        at = number(key)
        if at is None:
            raise DamagedError("its key is no record's number")
        if value is None:
            self._log.oldest = max(self._log.oldest, at + 1)
            return
        changes, self.origin = decode(value)
        self._count(at)
        self.state.apply(changes)
        if changes.renewed != (0, 0):
            self._note_chunk(at, *changes.renewed)
        else:
            self._size += len(value)
            self._records += 1

    def finish(self) -> Changelog:
        """Return how the changelog goes on after the last record. Raises DamagedError."""
        if not self.state.named:
            raise DamagedError("the names of some zones are missing: a part of it is gone")
        log = self._log
        log.oldest = max(log.oldest, 0)
        log.next_number = max(log.next_number, log.oldest)
        log.since = log.oldest
        if self.origin is not None:
            log.since = self.origin.since
            if self._hole >= log.since:
                raise DamagedError(f"record {self._hole} is missing: a part of it is gone")
        log.owed = cost(self._size, self._records, self.state)
        return log

    def _count(self, at: int) -> None:
        """Note the number of a record. Raises DamagedError where numbers do not rise."""
        log = self._log
        if at < log.next_number:
            raise DamagedError(
                f"its number is {at}, the one before has {log.next_number - 1}: somebody else writes here"
            )
        if log.next_number < 0:
            log.oldest = max(log.oldest, at)
        if at > log.next_number:
            self._hole = at - 1
        log.next_number = at + 1

    def _note_chunk(self, at: int, first: int, end: int) -> None:
        """Note a chunk of the zones from `first` to `end`, so that the changelog goes on with the next one."""
        log, since = self._log, self.origin.since if self.origin is not None else 0
        if first == 0:
            log.turn = at
        # The chunk that ends a turn is the first whose `since` is the turn's start; the next one begins at zone 0.
        log.zone = end if since < log.turn else 0
        self._size = self._records = 0
