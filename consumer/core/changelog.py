"""What one partition's changelog gets at each commit, so that it holds the state and stays small.

Records are numbered, and the number is the key. Each commit writes the differences since the last one, and, when
as many bytes of differences have been written as the next chunk takes, that chunk: a range of zones anew, as it
is now. Once a turn of chunks has covered every zone, whatever is older than the turn's first record is superseded
and gets a tombstone, a few with each commit. So a commit's work grows with what changed, no commit stalls for a
whole snapshot, and what stands in the topic stays below five times the state.

Reading the records in their order gives the state: a chunk overrides whatever older differences said of its zones.
"""

from collections.abc import Iterator

import numpy as np

from consumer.core.record import Place, encode
from consumer.core.state import Changes, State

_CHUNK_BYTES = 256 * 1024  # well below what a broker takes in one message by default (1 MiB)
_CHUNK_ZONES = 4096
_ROWS = 8192  # of each column in one record of differences: 16 bytes a cell, and less than a chunk in all

Record = tuple[bytes, bytes | None]


class Changelog:
    """The numbers of one partition's records: the oldest that stands, the next, and the turn under way."""

    def __init__(self, oldest: int = 0, following: int = 0) -> None:
        self._oldest = oldest
        self._next = following
        self._superseded = oldest  # records with smaller numbers are not needed any more
        self._turn = following  # the number with which the turn began
        self._zone = 0  # the first zone of the next chunk
        self._owed = 0  # bytes of differences that no chunk has followed yet

    def records(self, state: State, changes: Changes, place: Place) -> list[Record]:
        """The records of a commit: `changes` lead to `state`, which belongs to `place`."""
        first = self._next
        records = [self._number(encode(piece, place)) for piece in _pieces(changes)]
        if not state.names:
            self._superseded = self._turn = first
        self._owed += sum(len(value or b"") for _, value in records)
        while state.names:
            end, size = self._chunk(state)
            if self._owed < size:
                break
            self._owed -= size
            records.append(self._number(encode(state.snapshot(self._zone, end), place)))
            self._zone = end
            if end == len(state.names):
                self._superseded, self._turn, self._zone, self._owed = self._turn, self._next, 0, 0
        last = min(self._superseded, self._oldest + 2 * len(records))
        tombstones: list[Record] = [(_key(number), None) for number in range(self._oldest, last)]
        self._oldest = max(self._oldest, last)
        return records + tombstones

    def _chunk(self, state: State) -> tuple[int, int]:
        """The end of the next chunk's zones, and about how many bytes it takes."""
        sizes = np.cumsum(state.sizes(self._zone, min(self._zone + _CHUNK_ZONES, len(state.names))))
        zones = max(1, int(np.searchsorted(sizes, _CHUNK_BYTES)))
        return self._zone + min(zones, len(sizes)), int(sizes[min(zones, len(sizes)) - 1])

    def _number(self, value: bytes) -> Record:
        record = (_key(self._next), value)
        self._next += 1
        return record


def number(key: bytes | None) -> int | None:
    """The number of a record, from its key; None where it is no key of ours."""
    return int(key) if key is not None and key.isdigit() and len(key) < 19 else None


def _key(number: int) -> bytes:
    return b"%d" % number


def _pieces(changes: Changes) -> Iterator[Changes]:
    """Differences in records of bounded size: times before cells, since a horizon decides what cells mean."""
    count = max(len(changes.names), len(changes.zones), len(changes.cells), len(changes.revisions), 1)
    if count <= _ROWS:
        yield changes
        return
    for start in range(0, max(len(changes.names), len(changes.zones)), _ROWS):
        rows = slice(start, start + _ROWS)
        yield Changes(
            names=changes.names[rows],
            first_name=changes.first_name + min(start, len(changes.names)),
            zones=changes.zones[rows],
            stream=changes.stream[rows],
            horizon=changes.horizon[rows],
        )
    for start in range(0, len(changes.cells), _ROWS):
        rows = slice(start, start + _ROWS)
        yield Changes(
            cell_zones=changes.cell_zones[rows],
            cell_days=changes.cell_days[rows],
            cell_places=changes.cell_places[rows],
            cells=changes.cells[rows],
        )
    for start in range(0, len(changes.revisions), _ROWS):
        rows = slice(start, start + _ROWS)
        yield Changes(
            window_zones=changes.window_zones[rows],
            window_days=changes.window_days[rows],
            revisions=changes.revisions[rows],
        )
