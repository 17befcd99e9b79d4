"""A prediction as one line for a person: zone, local date, the day's shape, probability, label, what is unusual.

What comes from the message is shown with its control characters escaped, so that no zone can move the cursor.
"""

import datetime
import unicodedata

import numpy as np

from season import instants
from season.calendar import Calendar
from season.messages import Prediction

ZONE_CELLS = 7
"""The zone's column at first: a line with one mark then has at most 80 cells."""
MAX_ZONE_CELLS = 24

_BARS = "▁▂▃▄▅▆▇█"
_COLOURS = {"winter": "36", "summer": "33"}
_SURPRISE = "1;31"
_FAINT = "2"


def render(
    prediction: Prediction, calendar: Calendar | None = None, colour: bool = False, zone_cells: int = ZONE_CELLS
) -> str:
    """Return the line of one prediction, without a line end.

    `calendar` is of the windows' time zone and gives the date; without one see `local_date`. `colour` is for a
    terminal; `zone_cells` is how wide the zone's column is, in cells of a terminal. Raises ValueError where the
    window's ends are no instants.
    """
    mark = ""
    if prediction.label != prediction.calendar_label:
        mark = _paint(f" ◀ in {printable(prediction.calendar_label)}", _SURPRISE, colour)
    revision = f"  revision {prediction.revision}" if prediction.revision else ""
    filled = f"  {prediction.filled_hours} filled" if prediction.filled_hours else ""
    return (
        f"{padded(prediction.zone, zone_cells)}  {local_date(prediction, calendar)}  "
        f"{sparkline(prediction.steps):24}  winter {prediction.winter_probability:6.4f}  "
        f"{_paint(f'{printable(prediction.label):6}', _COLOURS.get(prediction.label, ''), colour)}"
        f"{mark}{_paint(revision + filled, _FAINT, colour)}"
    ).rstrip()


def local_date(prediction: Prediction, calendar: Calendar | None) -> datetime.date:
    """Return the local date of a window.

    A prediction does not say its time zone. Without a calendar it is the date in UTC of the window's middle: the
    same wherever the day starts at midnight and the clock is less than twelve hours from UTC.
    """
    start, end = instants.parse(prediction.window_start), instants.parse(prediction.window_end)
    if calendar is None:
        return datetime.date(1970, 1, 1) + datetime.timedelta(seconds=(start + end) // 2)
    return calendar.date(int(calendar.days(np.array([start], np.int64))[0]))


def sparkline(steps: list[float]) -> str:
    """Return one bar a step, from the day's lowest to its highest; equal steps are bars of middle height."""
    if not steps:
        return ""
    # Halved, since the difference of two 64-bit floats may be none.
    low, high = min(steps) / 2, max(steps) / 2
    if low == high:
        return _BARS[len(_BARS) // 2 - 1] * len(steps)
    return "".join(_BARS[min(7, int((step / 2 - low) / (high - low) * 8))] for step in steps)


def printable(text: str) -> str:
    """Return a text with its control characters, odd spaces and lone surrogates escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def padded(text: str, cells: int) -> str:
    """Return a text as a column of `cells` cells: escaped, cut with an ellipsis or padded with spaces."""
    text = printable(text)
    if width(text) > cells:
        while width(text) > cells - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (cells - width(text))


def width(text: str) -> int:
    """Return how many cells of a terminal a printable text takes: wide characters two, combining ones none."""
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code and text else text
