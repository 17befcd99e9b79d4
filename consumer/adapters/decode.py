"""A batch of messages into columns of readings, and a reason for each message that is none.

Two roads, one rule. The fast one is msgspec with a type, and is trusted only where it is strict: on UTF-8 that
is not nested too deeply. What it refuses or cannot be trusted with goes the slow road,
`season.messages.decode_fields`, which decides. Timestamps are parsed once for each text, by column.

Nothing here knows windows or the wall clock: `future_reading` and `late` are decided by the core.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from season import strict_json
from season.calendar import I64, Bool, Calendar
from season.messages import (
    BAD_TIMESTAMP,
    DEMAND_LIMIT,
    LARGE,
    MAX_ZONE_BYTES,
    Reading,
    ReadingError,
    decode_fields,
    decode_timestamp,
    quoted,
)

F64 = NDArray[np.float64]

KEY_MISMATCH = "key_mismatch"

# So many characters fit in `MAX_ZONE_BYTES`, whatever they are.
_SHORT_ZONE = MAX_ZONE_BYTES // 4
# A message of so many bytes cannot be JSON that nests too deeply: each level takes an opening and a closing one.
_SHALLOW = 2 * strict_json.MAX_DEPTH

# The usual timestamp, 2021-06-01T13:00:00Z: where its marks are, where its digits, and what each digit adds to
# year, month, day, hour, minute and second.
_USUAL = 20
_MARKS, _MARKS_AT = np.frombuffer(b"--T::Z", np.uint8), [4, 7, 10, 13, 16, 19]
_DIGITS_AT = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_WEIGHTS = np.zeros((14, 6))
_WEIGHTS[range(14), [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]] = [1000, 100, 10, 1] + [10, 1] * 5


@dataclass(frozen=True)
class Rejected:
    """A message that is no reading: its row in the batch, the dead letter's reason and its sentence."""

    row: int
    reason: str
    error: str


@dataclass(frozen=True, eq=False)
class Decoded:
    """The readings of a batch as columns of n rows, in the order of the batch.

    `zones`: n texts; `instants`: int64 [n], epoch seconds; `demands`: float64 [n]; `rows`: int64 [n], the
    place of each in the batch, ascending. `rejected` holds all other rows, ascending.
    """

    zones: list[str]
    instants: I64
    demands: F64
    rows: I64
    rejected: list[Rejected]


class _FastReading(msgspec.Struct, gc=False):
    """What the fast road takes; the limit of the zone is one of bytes, checked elsewhere."""

    zone: Annotated[str, msgspec.Meta(min_length=1)]
    timestamp: str
    demand_mw: Annotated[float, msgspec.Meta(gt=-DEMAND_LIMIT, lt=DEMAND_LIMIT)]


_Fields = _FastReading | Reading
_FAST = msgspec.json.Decoder(_FastReading).decode


def decode(
    keys: Sequence[bytes | None], values: Sequence[bytes | None], partitions: int, calendar: Calendar
) -> Decoded:
    """The readings among the messages of one batch; `partitions` is how many the topic has."""
    readings, rows, rejected = _read(values)
    zones = [reading.zone for reading in readings]
    instants, bad_stamps = _instants([reading.timestamp for reading in readings], calendar)
    bad_keys = _bad_keys([keys[row] for row in rows] if rejected else keys, zones, partitions)
    demands = np.array([reading.demand_mw for reading in readings], np.float64)
    at = np.array(rows, np.int64)
    if not bad_stamps and not bad_keys:
        return Decoded(zones, instants, demands, at, rejected)
    # A message that fails several rules gets the first: a bad timestamp takes the place of a bad key.
    bad = {place: (KEY_MISMATCH, error) for place, error in bad_keys.items()}
    bad |= {place: (BAD_TIMESTAMP, error) for place, error in bad_stamps.items()}
    rejected += [Rejected(rows[place], *why) for place, why in bad.items()]
    kept = np.delete(np.arange(len(zones)), list(bad))
    return Decoded(
        [zones[place] for place in kept],
        instants[kept],
        demands[kept],
        at[kept],
        sorted(rejected, key=lambda rejected: rejected.row),
    )


def _read(values: Sequence[bytes | None]) -> tuple[Sequence[_Fields], Sequence[int], list[Rejected]]:
    """The readings, the row of each, and the messages that are malformed."""
    readings = _read_at_once(values)
    if readings is not None:
        return readings, range(len(values)), []
    one_by_one: list[_Fields] = []
    rows: list[int] = []
    rejected: list[Rejected] = []
    for row, value in enumerate(values):
        try:
            one_by_one.append(_read_one(value))
            rows.append(row)
        except ReadingError as error:
            rejected.append(Rejected(row, error.reason, str(error)))
    return one_by_one, rows, rejected


def _read_at_once(values: Sequence[bytes | None]) -> list[_FastReading] | None:
    """The readings of a batch in which the fast road takes every message, else None."""
    present = [value for value in values if value is not None]
    longest = max(map(len, present), default=0)
    if len(present) < len(values) or longest > _SHALLOW:
        return None
    # The line feeds keep a character that one message breaks off from being completed by the next. msgspec does not
    # look at the bytes of strings that it passes over.
    if not strict_json.is_utf8(b"\n".join(present)):
        return None
    try:
        readings = list(map(_FAST, present))
    except (ValueError, RecursionError):
        return None
    # A zone takes no more bytes than the message that it stands in.
    if longest > MAX_ZONE_BYTES and max(len(reading.zone) for reading in readings) > _SHORT_ZONE:
        return None
    return readings


def _read_one(value: bytes | None) -> _Fields:
    if value is None or len(value) > LARGE or not strict_json.is_utf8(value) or _deep(value):
        return decode_fields(value)
    try:
        reading = _FAST(value)
    except (ValueError, RecursionError):
        return decode_fields(value)
    if len(reading.zone) > _SHORT_ZONE and len(reading.zone.encode()) > MAX_ZONE_BYTES:
        return decode_fields(value)
    return reading


def _deep(value: bytes) -> bool:
    return len(value) > _SHALLOW and strict_json.deeper_than_allowed(value)


def _instants(texts: list[str], calendar: Calendar) -> tuple[I64, dict[int, str]]:
    """The instants [n] of timestamps, and a sentence for each place whose timestamp is not allowed."""
    codes = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    places = np.fromiter(map(codes.__getitem__, texts), np.int64, len(texts))
    distinct = list(codes)
    instants, known = _usual_instants(distinct)
    errors: dict[int, str] = {}
    for code in np.flatnonzero(~known).tolist():
        try:
            instants[code] = decode_timestamp(distinct[code])
        except ValueError as error:
            errors[code] = str(error)
    for code in np.flatnonzero(~calendar.on_the_hour(instants)).tolist():
        said = f"timestamp {quoted(distinct[code])} is not a full hour on the clock of {calendar.time_zone}"
        errors.setdefault(code, said)
    if not errors:
        return instants[places], {}
    bad = np.flatnonzero(np.isin(places, list(errors)))
    return instants[places], {place: errors[places[place]] for place in bad.tolist()}


def _usual_instants(texts: list[str]) -> tuple[I64, Bool]:
    """The instants [n] of timestamps of the usual form, and which they are; 0 for all others."""
    usual = np.fromiter(map(len, texts), np.int64, len(texts)) == _USUAL
    joined = "".join(texts if usual.all() else [text for text in texts if len(text) == _USUAL])
    characters = np.frombuffer(joined.encode("ascii", "replace"), np.uint8).reshape(-1, _USUAL)
    digits = characters[:, _DIGITS_AT] - ord("0")
    year, month, day, hour, minute, second = (digits @ _WEIGHTS).astype(np.int64).T
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    firsts, nexts = (first.astype("datetime64[D]").astype(np.int64) for first in (months, months + 1))
    right = (characters[:, _MARKS_AT] == _MARKS).all(axis=1) & (digits <= 9).all(axis=1)
    right &= (year >= 1970) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= nexts - firsts)
    right &= (hour < 24) & (minute < 60) & (second < 60)
    instants = np.zeros(len(texts), np.int64)
    instants[usual] = np.where(right, (firsts + day - 1) * 86400 + hour * 3600 + minute * 60 + second, 0)
    usual[usual] = right
    return instants, usual


def _bad_keys(keys: Sequence[bytes | None], zones: list[str], partitions: int) -> dict[int, str]:
    """A sentence for each place whose key is not its zone."""
    wanted: list[bytes | None] = list(map(str.encode, zones))
    if wanted == list(keys):
        return {}
    return {
        place: _key_error(key, zones[place], partitions)
        for place, key in enumerate(keys)
        if key != wanted[place] and (key is not None or partitions != 1)
    }


def _key_error(key: bytes | None, zone: str, partitions: int) -> str:
    if key is None:
        return f"the key is null; on a topic of {partitions} partitions it has to be the zone, {quoted(zone)}"
    return f"the key {quoted(key.decode(errors='backslashreplace'))} is not the zone {quoted(zone)}"
