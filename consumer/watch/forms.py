"""The three forms of a prediction on standard output: a line for a person, the message itself, a row of CSV."""

import csv
import io
import sys
from collections.abc import Callable

from consumer.watch.line import MAX_ZONE_CELLS, ZONE_CELLS, printable, render, width
from season.calendar import Calendar
from season.client.message import KafkaMessage
from season.messages import Prediction

Form = Callable[[KafkaMessage, Prediction], bytes]
"""Returns what is written for a prediction, line end included. Raises ValueError where it has no such form."""

STEPS = 24
_FIELDS = [field for field in Prediction.__struct_fields__ if field != "steps"]


def lines(calendar: Calendar | None, colour: bool) -> Form:
    """Return the form for a person; the column of the zones grows with the names that come."""
    cells = ZONE_CELLS

    def line(_: KafkaMessage, prediction: Prediction) -> bytes:
        nonlocal cells
        cells = max(cells, min(width(printable(prediction.zone)), MAX_ZONE_CELLS))
        text = render(prediction, calendar, colour, cells) + "\n"
        return text.encode(sys.stdout.encoding or "utf-8", "replace")

    return line


def json_line(message: KafkaMessage, _: Prediction) -> bytes:
    """Return the message itself: in a JSON text a line end is but space between two tokens."""
    return (message.value() or b"").replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def csv_header() -> bytes:
    """Return the first line of CSV: the names of the columns."""
    return _csv([*_FIELDS, *(f"step_{step:02}" for step in range(STEPS))])


def csv_row(_: KafkaMessage, prediction: Prediction) -> bytes:
    """Return a prediction as a row of CSV, all fields of it, numbers in full."""
    if len(prediction.steps) != STEPS:
        raise ValueError(f"not a prediction: it has {len(prediction.steps)} steps instead of {STEPS}")
    return _csv([*(getattr(prediction, field) for field in _FIELDS), *prediction.steps])


def _csv(cells: list[object]) -> bytes:
    """Return a record as in RFC 4180; `csv` writes floats so that they read back to the same bits."""
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()
