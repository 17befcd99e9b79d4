"""Decides what one partition's changelog gets at each commit, so that it holds the state and stays small.

Records are numbered, and the number is the key. Each commit writes the differences since the last one. When the
differences since the last chunk cost a reader as much as the next chunk will, the commit writes that chunk as well:
a snapshot of a range of zones. Once a turn of chunks has covered every zone, all records before the turn's first one
are superseded and get tombstones, a few with each commit. So a commit's work grows with what changed, no commit stops
for a snapshot of everything, the topic stays below five times the state, and a restore takes no longer after many
small commits than after a few large ones.

Applying the records in their order gives the state: a chunk overrides what older differences said of its zones.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from consumer.core.changes import Changes
from consumer.core.record import Origin, encode
from consumer.core.state import State

_CHUNK_BYTES = 256 * 1024  # well below what a broker takes in one message by default (1 MiB)
_CHUNK_ZONES = 4096
_MAX_RECORD_ROWS = 8192  # of each column in one record of differences: 16 bytes a cell, and less than a chunk in all
# A record costs a reader 25 µs besides its bytes: as much as so many bytes of a chunk, at 5 ns each. A small state is
# charged less (see `cost`): writing its chunks does not pay before some thousand records, a tenth of a second.
_RECORD_COST_BYTES = 4096
_RECORDS_WORTH_A_STATE = 4096

Record = tuple[bytes, bytes | None]


@dataclass
class Changelog:
    """The numbers of one partition's records.

    - `oldest`: the number of the oldest record that has no tombstone; `next_number`: the next record's.
    - `since`: records with smaller numbers are not needed any more.
    - `turn`: the number of the first chunk of the turn under way; `zone`: the first zone of its next chunk.
    - `owed`: the cost, in bytes, of reading the differences that no chunk has superseded yet.
    """

    oldest: int = 0
    next_number: int = 0
    since: int = 0
    turn: int = 0
    zone: int = 0
    owed: int = 0

    def records(self, state: State, changes: Changes, origin: Origin) -> list[Record]:
        """Return the records of a commit whose `changes` led to `state`, which belongs to `origin`."""
        if not state.known:
            self.since = self.next_number
        records = [self._number(piece, origin) for piece in _pieces(changes)]
        self.owed += cost(sum(len(value or b"") for _, value in records), len(records), state)
        while state.known:
            end, size = self._chunk(state)
            if self.owed < size:
                break
            records.append(self._next_chunk(state, end, origin))
            self.owed = self.owed - size if self.zone else 0
        # Two tombstones for each new record: the log of superseded ones shrinks, and no commit writes too many.
        last = min(self.since, self.oldest + 2 * len(records))
        tombstones: list[Record] = [(_key(number), None) for number in range(self.oldest, last)]
        self.oldest = max(self.oldest, last)
        return records + tombstones

    def _next_chunk(self, state: State, end: int, origin: Origin) -> Record:
        """Return the chunk of the zones up to `end`. The turn's last chunk supersedes all records before the turn."""
        if self.zone == 0:
            self.turn = self.next_number
        chunk = state.snapshot(self.zone, end)
        self.zone = end
        if end == state.known:
            self.since, self.zone = max(self.since, self.turn), 0
        return self._number(chunk, origin)

    def _chunk(self, state: State) -> tuple[int, int]:
        """Return the end of the next chunk's zones, and about how many bytes the chunk takes."""
        sizes = np.cumsum(state.sizes(self.zone, min(self.zone + _CHUNK_ZONES, state.known)))
        # `sizes` are cumulative: the search gives how many zones stay below the bound; a chunk has at least one.
        zones = max(1, int(np.searchsorted(sizes, _CHUNK_BYTES)))
        return self.zone + min(zones, len(sizes)), int(sizes[min(zones, len(sizes)) - 1])

    def _number(self, changes: Changes, origin: Origin) -> Record:
        record = (_key(self.next_number), encode(changes, replace(origin, since=self.since)))
        self.next_number += 1
        return record


def cost(size: int, records: int, state: State) -> int:
    """Return the cost of reading back `size` bytes in so many records, in bytes of a chunk of this state."""
    return size + records * min(_RECORD_COST_BYTES, state.size // _RECORDS_WORTH_A_STATE)


def number(key: bytes | None) -> int | None:
    """Return the number of a record, from its key; None where it is no key of ours."""
    # Below 19 digits a number fits 64 bits.
    return int(key) if key is not None and key.isdigit() and len(key) < 19 else None


def _key(number: int) -> bytes:
    return b"%d" % number


def _pieces(changes: Changes) -> Iterator[Changes]:
    """Yield differences in pieces of bounded size: times before cells, since a watermark decides what cells mean."""
    count = max(len(changes.names), len(changes.zones), len(changes.cells), len(changes.revisions), 1)
    if count <= _MAX_RECORD_ROWS:
        yield changes
        return
    for start in range(0, max(len(changes.names), len(changes.zones)), _MAX_RECORD_ROWS):
        rows = slice(start, start + _MAX_RECORD_ROWS)
        yield Changes(
            names=changes.names[rows],
            first_name=changes.first_name + min(start, len(changes.names)),  # past the last name there are none
            zones=changes.zones[rows],
            stream=changes.stream[rows],
            watermark=changes.watermark[rows],
        )
    for start in range(0, len(changes.cells), _MAX_RECORD_ROWS):
        rows = slice(start, start + _MAX_RECORD_ROWS)
        yield Changes(
            cell_zones=changes.cell_zones[rows],
            cell_days=changes.cell_days[rows],
            cell_indices=changes.cell_indices[rows],
            cells=changes.cells[rows],
        )
    for start in range(0, len(changes.revisions), _MAX_RECORD_ROWS):
        rows = slice(start, start + _MAX_RECORD_ROWS)
        yield Changes(
            window_zones=changes.window_zones[rows],
            window_days=changes.window_days[rows],
            revisions=changes.revisions[rows],
        )
