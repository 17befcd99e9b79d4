"""The arrays that the compiled loops work on: a batch's readings, and the zones and windows of a partition.

Rows of windows and numbers of zones are indices into these arrays; -1 stands for none. A field of such an array is a
column (`zones["stream"]`), an item a record (`zones[zone]`). The arrays are passed to the loops one by one: in a
named tuple each access would count references, which costs more than the rule.
"""

import numpy as np
from numpy.typing import NDArray

from season.calendar import I64
from season.steps import F64, STEPS

I32 = NDArray[np.int32]
I8 = NDArray[np.int8]
U8 = NDArray[np.uint8]
Records = NDArray[np.void]

Tables = tuple[Records, Records, F64, I32]
"""Zones, windows, the windows' values, and a stack of their free rows."""
Journal = tuple[I64, Records, I32, I32, Records]
"""Counts, cells, links (rows of windows that were opened, -1 - row of those that ended), scored rows, and times."""
Happened = tuple[I8, I64, Records, F64, F64, Records, Records]
"""What a loop returns: fates [n], counts of events, scorings with hours and steps, flattened and ended windows."""

NEVER = -(2**40)
"""The stream time of a zone that has none: earlier than any instant, and safe to calculate with."""

FREE, OPEN, ENDED = 0, 1, 2
"""The phases of a window's row. An ended window keeps its row until the commit, since an abort opens it again."""

CELLS, LINKS, SCORINGS, TIMES, SPARE, USED = 0, 1, 2, 3, 4, 5
"""The indices of `counts`: how long the four lists of the journal are, how many rows of windows are free, and how
many, from the first on, were ever used."""

READING = np.dtype(
    [
        ("name_start", "i8"),  # where the name of its zone begins in the batch's text
        ("name_length", "i4"),
        ("zone", "i4"),  # the zone's number
        ("instant", "i8"),
        ("demand", "f8"),
        ("end", "i8"),  # the end of its window
        ("day", "i4"),  # the window
        ("clock", "i4"),  # the row of `clocks` for a window that is not simply 24 hours in a row, else -1
        ("hours", "i4"),  # how many hours the window has
        ("hour_index", "i4"),  # the index of its hour in the window, from 0
    ],
    align=True,
)
"""A reading, and where it falls."""

ZONE = np.dtype(
    [
        ("stream", "i8"),  # stream time
        ("watermark", "i8"),  # windows that end here or before have ended, for ever
        ("touched", "i8"),  # the number of the transaction that moved these last
        ("oldest", "i4"),  # the row of its oldest open window, and so on to the newest by the rows' `newer`
        ("newest", "i4"),
    ],
    align=True,
)

WINDOW = np.dtype(
    [
        ("end", "i8"),  # the first instant after the window
        ("zone", "i4"),
        ("day", "i4"),
        ("older", "i4"),  # the row of the zone's next older open window
        ("newer", "i4"),
        ("revision", "i4"),  # how often it was scored
        ("present", "i2"),  # how many of its hours are there
        ("phase", "i1"),
    ],
    align=True,
)
"""A window without its hours, which are `values` [row, width] in order of time. A missing one is NaN, which is no
reading's value; the width grows where a day has more than 24 hours."""

CELL = np.dtype([("row", "i4"), ("hour_index", "i4"), ("before", "f8")], align=True)
"""An hour that was written, with the value that it overwrote."""

TIME = np.dtype([("zone", "i4"), ("stream", "i8"), ("watermark", "i8")], align=True)
"""A zone whose times were moved, with those of before the transaction."""

SCORING = np.dtype([("cause", "i4"), ("row", "i4"), ("revision", "i4")])
"""A window to score, and the index in the batch of the reading that caused it."""

EVENT = np.dtype([("cause", "i4"), ("row", "i4")])
"""A window that something else happened to."""


def no_tables(rows: int = 64) -> Tables:
    """Return the tables of a partition without any zone, with `rows` free rows for windows."""
    free = np.arange(rows, dtype=np.int32)[::-1].copy()  # a stack: row 0 is on top
    return np.empty(0, ZONE), np.zeros(rows, WINDOW), np.empty((rows, STEPS)), free


def empty_journal(rows: int = 64, changes: int = 1024) -> Journal:
    """Return a journal with room for `changes` entries, for tables with `rows` rows of windows."""
    counts = np.array([0, 0, 0, 0, rows, 0], np.int64)
    # A row is linked twice at most in a transaction: opened, and ended.
    links, scored = np.empty(2 * rows, np.int32), np.empty(changes, np.int32)
    return counts, np.empty(changes, CELL), links, scored, np.empty(changes, TIME)


def nothing_happened(readings: int, rows: int, width: int) -> Happened:
    """Return empty results with room for what `readings` readings can do to `rows` windows of `width` hours."""
    scorings, hours, steps = np.empty(readings, SCORING), np.empty((readings, width)), np.empty((readings, STEPS))
    events = np.empty(readings, EVENT), np.empty(rows, EVENT)
    return np.empty(readings, np.int8), np.zeros(3, np.int64), scorings, hours, steps, *events


def lengthened(column: NDArray, length: int, used: int) -> NDArray:  # type: ignore[type-arg]
    """Return a longer column that begins with the first `used` items of this one.

    Zeros stand behind them, which take no memory until they are written to.
    """
    longer = np.zeros((length, *column.shape[1:]), column.dtype)
    longer[:used] = column[:used]
    return longer
