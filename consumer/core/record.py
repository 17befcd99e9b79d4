"""One record of the changelog as bytes: changes of a partition's state, and the origin of that state.

Format, version 1, little-endian: the magic `SEASON`, the version (u8), the length of the head (u32), the head
(JSON), the columns one after the other (see `_COLUMNS`; their lengths are in the head), and the CRC-32 of all
before it (u32). A cell is 16 bytes: its zone (u32), 32 times its day plus the index of its hour in the window (i32),
its value (f64).
"""

import struct
import zlib
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from consumer.core.changes import Changes
from season.calendar import I64, MAX_WINDOW_HOURS

_MAGIC = b"SEASON"
_VERSION = 1
_START = struct.Struct("<6sBI")
_CRC = struct.Struct("<I")
_COLUMNS = (
    "zones",
    "stream",
    "watermark",
    "cell_zones",
    "cell_slots",
    "cells",
    "window_zones",
    "window_days",
    "revisions",
)
_TYPES = ("<u4", "<i8", "<i8", "<u4", "<i4", "<f8", "<u4", "<i4", "<u4")


class DamagedError(ValueError):
    """The bytes are no record of ours, or damaged; the sentence says which."""


@dataclass(frozen=True)
class Origin:
    """What a state was made from: the topic's id, the next offset to read there, and the calendar in force.

    `since` is the number of the oldest changelog record that a restore needs.
    """

    topic_id: str
    offset: int
    time_zone: str
    day_start: str
    since: int = 0


class _Head(msgspec.Struct, frozen=True):
    topic_id: str
    offset: int
    time_zone: str
    day_start: str
    first_name: int
    names: tuple[str, ...]
    renewed: tuple[int, int]
    lengths: tuple[int, int, int, int]  # zones, cells, windows, hours of a window
    since: int


def encode(changes: Changes, origin: Origin) -> bytes:
    """Return the bytes of a record with these changes."""
    lengths = (len(changes.zones), len(changes.cells), len(changes.revisions), changes.hours.shape[1])
    head = msgspec.json.encode(
        _Head(
            origin.topic_id,
            origin.offset,
            origin.time_zone,
            origin.day_start,
            changes.first_name,
            changes.names,
            changes.renewed,
            lengths,
            origin.since,
        )
    )
    # Day and index of the hour in one number: the index is below 32, so `divmod` takes them apart again.
    slots = changes.cell_days * MAX_WINDOW_HOURS + changes.cell_indices
    columns = [slots if name == "cell_slots" else getattr(changes, name) for name in _COLUMNS]
    body = [column.astype(kind).tobytes() for column, kind in zip(columns, _TYPES, strict=True)]
    parts = [_START.pack(_MAGIC, _VERSION, len(head)), head, *body, changes.hours.astype("<f8").tobytes()]
    record = b"".join(parts)
    return record + _CRC.pack(zlib.crc32(record))


def decode(record: bytes) -> tuple[Changes, Origin]:
    """Return the changes of a record and the origin of the state. Raises `DamagedError`."""
    if len(record) < _START.size + _CRC.size or not record.startswith(_MAGIC):
        raise DamagedError("it is no changelog record of this program")
    _, version, head_length = _START.unpack_from(record)
    if version != _VERSION:
        raise DamagedError(f"it has format version {version}, this program reads version {_VERSION}")
    if zlib.crc32(record[: -_CRC.size]) != _CRC.unpack(record[-_CRC.size :])[0]:
        raise DamagedError("its checksum does not fit: it is damaged")
    # A fitting checksum says only that the bytes are as somebody wrote them: every number is checked before its use.
    body = memoryview(record)[_START.size + head_length : -_CRC.size]
    head = _head(record[_START.size : _START.size + head_length], len(body))
    columns = _columns(body, head)
    days, indices = np.divmod(columns["cell_slots"], MAX_WINDOW_HOURS)
    changes = Changes(
        names=head.names,
        first_name=head.first_name,
        zones=columns["zones"],
        stream=columns["stream"],
        watermark=columns["watermark"],
        cell_zones=columns["cell_zones"],
        cell_days=days,
        cell_indices=indices,
        cells=columns["cells"].view(np.float64),
        window_zones=columns["window_zones"],
        window_days=columns["window_days"],
        revisions=columns["revisions"],
        hours=columns["hours"].view(np.float64).reshape(head.lengths[2], head.lengths[3]),
        renewed=head.renewed,
    )
    return changes, Origin(head.topic_id, head.offset, head.time_zone, head.day_start, head.since)


def _head(text: bytes, body_size: int) -> _Head:
    """Return the head of a record whose columns take `body_size` bytes. Raises `DamagedError`."""
    try:
        head = msgspec.json.decode(text, type=_Head)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"its head cannot be read ({error})") from None
    zones, cells, windows, width = head.lengths
    sizes = (np.dtype(kind).itemsize for kind in _TYPES)
    rows = (zones,) * 3 + (cells,) * 3 + (windows,) * 3
    declared = sum(count * size for count, size in zip(rows, sizes, strict=True)) + 8 * windows * width
    if min(head.lengths) < 0 or width > MAX_WINDOW_HOURS or declared != body_size:
        raise DamagedError(f"its head tells of {declared} bytes of columns, {body_size} are there")
    numbers = (head.first_name, *head.renewed)
    offsets = (head.offset, head.since)
    if not all(0 <= offset < 2**63 for offset in offsets) or not all(0 <= number <= 2**32 for number in numbers):
        raise DamagedError(
            f"its head holds numbers beyond their limits: offset and record {offsets}, zones {numbers}"
        )
    return head


def _columns(body: memoryview, head: _Head) -> dict[str, I64]:
    """Return the columns by name, and `hours` [w * width]; those of floats hold their bits."""
    zones, cells, windows, width = head.lengths
    lengths = (zones,) * 3 + (cells,) * 3 + (windows,) * 3 + (windows * width,)
    columns: dict[str, NDArray[np.int64]] = {}
    start = 0
    for name, kind, length in zip((*_COLUMNS, "hours"), (*_TYPES, "<f8"), lengths, strict=True):
        column = np.frombuffer(body, kind, length, start)
        start += column.nbytes
        # All columns have one type: the 8 bytes of a float are kept as an integer, and viewed as a float again later.
        columns[name] = column.view(np.int64) if kind == "<f8" else column.astype(np.int64)
    return columns
