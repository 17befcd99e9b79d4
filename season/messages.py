"""The messages that programs exchange, as JSON: readings, predictions, and the windows among the dead letters.

Numbers are written as the shortest text that reads back to the same 64-bit float, instants in UTC with a `Z`.
The consumer decodes readings in bulk into columns; `decode_reading` here is the rule for a single one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from season import instants, strict_json
from season.calendar import I64

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]

MAX_ZONE_BYTES = 200
# From here on a 64-bit float rounds to infinity as a 32-bit float (half a step above the largest of them).
DEMAND_LIMIT = float(2**128 - 2**103)

LARGE_MESSAGE_BYTES = 2**20
"""The size in bytes of the largest message that a broker accepts by default; of a larger one only the fields that are
needed are parsed into objects."""

MALFORMED = "malformed"
BAD_TIMESTAMP = "bad_timestamp"

_MAX_QUOTED_CHARACTERS = 40


class ReadingError(ValueError):
    """A message that is no reading: `reason` is the dead letter's code, `str()` the sentence for a person."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One reading, as its JSON has it."""

    zone: str
    timestamp: str
    demand_mw: float


class Prediction(msgspec.Struct, frozen=True):
    """One prediction, as its JSON has it; the order of the fields is that of the interface."""

    zone: str
    window_start: str
    window_end: str
    label: str
    winter_probability: float
    logit: float
    calendar_label: str
    filled_hours: int
    revision: int
    model: str
    model_version: str
    steps: list[float]


class _HourValue(msgspec.Struct, frozen=True, gc=False):
    timestamp: str
    demand_mw: float


class _Window(msgspec.Struct, frozen=True):
    zone: str
    window_start: str
    window_end: str
    readings: list[_HourValue]
    missing: list[str]
    revision: int | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True, eq=False)
class Predictions:
    """Scored windows as columns of n rows; instants in epoch seconds.

    `zones`, `labels`, `calendar_labels`: n texts; `starts`, `ends`, `filled`, `revisions`: int64 [n];
    `logits`: float32 [n], finite; `probabilities`: float64 [n]; `steps`: float64 [n, 24].
    """

    zones: Sequence[str]
    starts: I64
    ends: I64
    labels: Sequence[str]
    probabilities: F64
    logits: F32
    calendar_labels: Sequence[str]
    filled: I64
    revisions: I64
    steps: F64


def encode_reading(zone: str, instant: int, demand_mw: float) -> bytes:
    """Return the value of a reading of the hour that starts at `instant` (epoch seconds)."""
    return msgspec.json.encode(Reading(zone, instants.format(instant), demand_mw))


def decode_reading(value: bytes | None) -> tuple[str, int, float]:
    """Return zone, instant (epoch seconds, 0 or later) and demand of a reading, by every rule for its JSON.

    It does not check that the instant is a full hour, which depends on the calendar. Raises `ReadingError`.
    """
    reading = decode_fields(value)
    try:
        return reading.zone, decode_timestamp(reading.timestamp), reading.demand_mw
    except ValueError as error:
        raise ReadingError(BAD_TIMESTAMP, str(error)) from None


def decode_fields(value: bytes | None) -> Reading:
    """Return a reading whose fields are of their types and within their limits; its timestamp is not parsed.

    Raises `ReadingError`, its reason "malformed".
    """
    if value is None:
        raise ReadingError(MALFORMED, "the message has no value; a reading as JSON is expected")
    try:
        fields = (
            strict_json.parse(value) if len(value) <= LARGE_MESSAGE_BYTES else strict_json.members(value, _FIELDS)
        )
    except ValueError as error:
        raise ReadingError(MALFORMED, f"the value of {len(value)} bytes is no reading: {error}") from None
    if not isinstance(fields, dict):
        raise ReadingError(MALFORMED, f"the value is {_kind(fields)}; a JSON object is expected")
    for name in _FIELDS:
        if name not in fields:
            raise ReadingError(MALFORMED, f"{name} is missing")
    return Reading(_zone(fields["zone"]), _text("timestamp", fields["timestamp"]), _demand(fields["demand_mw"]))


def decode_timestamp(text: str) -> int:
    """Return the instant of a reading's timestamp, in epoch seconds. Raises `ValueError` with a sentence."""
    try:
        instant = instants.parse(text)
    except ValueError as error:
        raise ValueError(f"timestamp {error}") from None
    if instant < 0:
        raise ValueError(f"timestamp {quoted(text)} is before 1970-01-01T00:00:00Z")
    return instant


def encode_predictions(predictions: Predictions, model: str, model_version: str) -> list[bytes]:
    """Return the values of prediction messages, one a row."""
    texts = {int(t): instants.format(t) for t in np.union1d(predictions.starts, predictions.ends)}
    rows = zip(
        predictions.zones,
        predictions.starts.tolist(),
        predictions.ends.tolist(),
        predictions.labels,
        predictions.probabilities.tolist(),
        predictions.logits.astype(np.float64).tolist(),
        predictions.calendar_labels,
        predictions.filled.tolist(),
        predictions.revisions.tolist(),
        predictions.steps.tolist(),
        strict=True,
    )
    encode = msgspec.json.Encoder().encode
    return [
        encode(
            Prediction(
                zone, texts[start], texts[end], label, probability, logit, calendar_label, filled, revision,
                model, model_version, steps,
            )
        )
        for zone, start, end, label, probability, logit, calendar_label, filled, revision, steps in rows
    ]  # fmt: skip


def decode_prediction(value: bytes | None) -> Prediction:
    """Return a prediction as a subscriber reads it, ignoring further fields. Raises `ValueError` with a sentence."""
    if value is None:
        raise ValueError("a message without a value is no prediction")
    try:
        return _PREDICTION.decode(value)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a prediction: {quoted(str(error), 200)}") from None


def encode_window(
    zone: str, start: int, end: int, hours: I64, demands: F64, missing: I64, revision: int | None = None
) -> bytes:
    """Return the value of a window's dead letter; `hours` and `demands` [k], `missing` [m] in order of time."""
    readings = [
        _HourValue(instants.format(hour), demand)
        for hour, demand in zip(hours.tolist(), demands.tolist(), strict=True)
    ]
    return msgspec.json.encode(
        _Window(
            zone,
            instants.format(start),
            instants.format(end),
            readings,
            [instants.format(hour) for hour in missing.tolist()],
            msgspec.UNSET if revision is None else revision,
        )
    )


def quoted(text: str, shown: int = _MAX_QUOTED_CHARACTERS) -> str:
    """Return a text from a message as a sentence can quote it: printable, and cut where it is long."""
    return repr(text) if len(text) <= shown else f"{text[:shown]!r}… ({len(text)} characters)"


def _zone(value: object) -> str:
    zone = _text("zone", value)
    size = len(zone.encode())
    if not 1 <= size <= MAX_ZONE_BYTES:
        said = f"has {size} bytes of UTF-8" if zone else "is empty"
        raise ReadingError(MALFORMED, f"zone {said}; 1 to {MAX_ZONE_BYTES} bytes are allowed")
    return zone


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or isinstance(value, strict_json.Number):
        raise ReadingError(MALFORMED, f"{name} is {_kind(value)}; a string is expected")
    return value


def _demand(value: object) -> float:
    if not isinstance(value, strict_json.Number):
        raise ReadingError(MALFORMED, f"demand_mw is {_kind(value)}; a number is expected")
    demand = float(value)
    if not abs(demand) < DEMAND_LIMIT:
        text = str(value)
        said = (
            text
            if len(text) <= _MAX_QUOTED_CHARACTERS
            else f"{text[:_MAX_QUOTED_CHARACTERS]}… ({len(text)} characters)"
        )
        raise ReadingError(MALFORMED, f"demand_mw {said} is not finite as a 32-bit float")
    # Written as an integer, minus zero is zero: every JSON reader that knows integers reads it so.
    return math.fabs(demand) if value == "-0" else demand


def _kind(value: object) -> str:
    """Return the kind of a JSON value, for a sentence."""
    if isinstance(value, strict_json.Number):
        return "a number"
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return kinds.get(type(value), "null")


_FIELDS = Reading.__struct_fields__
_PREDICTION = msgspec.json.Decoder(Prediction)
