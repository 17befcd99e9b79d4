"""A batch of messages into columns of readings, and a reason for each message that is none.

Two roads, one rule. The fast one reads the usual form of a reading from the bytes of all messages at once
(`usual.py`). What it does not take goes the strict road message by message, `season.messages`, which decides.

Nothing here knows windows or the wall clock: `future_reading` and `late` are decided by the core.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from consumer.adapters.usual import NULL, read_usual
from consumer.core.columns import READING, U8, Records
from consumer.core.days import locate
from consumer.core.outcome import Readings
from season.calendar import I64, Calendar
from season.messages import BAD_TIMESTAMP, ReadingError, decode_fields, decode_timestamp, quoted

KEY_MISMATCH = "key_mismatch"


@dataclass(frozen=True)
class Rejected:
    """A message that is no reading: its row in the batch, the dead letter's reason and its sentence."""

    row: int
    reason: str
    error: str


@dataclass(frozen=True, eq=False)
class Decoded:
    """The readings of a batch in its order; `rows` int64 [n] is the place of each in the batch, ascending.

    `rejected` holds all other rows, ascending.
    """

    readings: Readings
    rows: I64
    rejected: list[Rejected]


def decode(
    keys: Sequence[bytes | None], values: Sequence[bytes | None], partitions: int, calendar: Calendar
) -> Decoded:
    """Return the readings among the messages of one batch; `partitions` is how many the topic has."""
    text, starts, lengths = _joined(values)
    records, usual = np.zeros(len(values), READING), np.empty(len(values), np.bool_)
    read_usual(text, starts, lengths, *_joined(keys), partitions == 1, records, usual)
    full, clocks = locate(records, calendar)
    rejected: list[Rejected] = []
    strict = np.flatnonzero(~(usual & full))
    if len(strict):
        decided, extra, rejected = _read_strictly(strict, keys, values, partitions, calendar)
        decided["name_start"] += len(text)
        usual[strict] = True
        usual[[refusal.row for refusal in rejected]] = False
        records[strict[usual[strict]]] = decided
        text = np.frombuffer(text.tobytes() + extra, np.uint8)
        _, clocks = locate(records, calendar)
    rows = np.flatnonzero(usual)
    return Decoded(Readings(text, records if len(rows) == len(records) else records[rows], clocks), rows, rejected)


def _joined(texts: Sequence[bytes | None]) -> tuple[U8, I64, I64]:
    """Return texts one after the other, where each begins, and its length; one that is null has the length `NULL`."""
    try:
        joined = b"".join(texts)  # type: ignore[arg-type]
        lengths = sizes = np.fromiter(map(len, texts), np.int64, len(texts))  # type: ignore[arg-type]
    except TypeError:  # some are null
        joined = b"".join([text or b"" for text in texts])
        lengths = np.array([NULL if text is None else len(text) for text in texts], np.int64)
        sizes = np.maximum(lengths, 0)
    return np.frombuffer(joined, np.uint8), np.cumsum(sizes) - sizes, lengths


def _read_strictly(
    rows: I64, keys: Sequence[bytes | None], values: Sequence[bytes | None], partitions: int, calendar: Calendar
) -> tuple[Records, bytes, list[Rejected]]:
    """Return those of some messages that are readings, the names of their zones joined, and all others of them."""
    accepted: list[tuple[bytes, int, float]] = []
    rejected: list[Rejected] = []
    for row in rows.tolist():
        try:
            accepted.append(_read_one(keys[row], values[row], partitions, calendar))
        except ReadingError as error:
            rejected.append(Rejected(row, error.reason, str(error)))
    names, instants, demands = zip(*accepted, strict=True) if accepted else ((), (), ())
    records = np.zeros(len(accepted), READING)
    records["name_length"] = [len(name) for name in names]
    records["name_start"] = np.cumsum(records["name_length"]) - records["name_length"]
    records["instant"], records["demand"] = instants, demands
    return records, b"".join(names), rejected


def _read_one(
    key: bytes | None, value: bytes | None, partitions: int, calendar: Calendar
) -> tuple[bytes, int, float]:
    """Return the name of the zone, the instant and the demand of one message. Raises `ReadingError`."""
    reading = decode_fields(value)
    try:
        instant = decode_timestamp(reading.timestamp)
    except ValueError as error:
        raise ReadingError(BAD_TIMESTAMP, str(error)) from None
    if not calendar.on_the_hour(np.array([instant]))[0]:
        stamp = quoted(reading.timestamp)
        raise ReadingError(
            BAD_TIMESTAMP, f"timestamp {stamp} is not a full hour on the clock of {calendar.time_zone}"
        )
    name = reading.zone.encode()
    if key != name and (key is not None or partitions != 1):
        raise ReadingError(KEY_MISMATCH, _key_error(key, reading.zone, partitions))
    return name, instant, reading.demand_mw


def _key_error(key: bytes | None, zone: str, partitions: int) -> str:
    if key is None:
        return f"the key is null; on a topic of {partitions} partitions it has to be the zone, {quoted(zone)}"
    return f"the key {quoted(key.decode(errors='backslashreplace'))} is not the zone {quoted(zone)}"
