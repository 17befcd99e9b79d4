"""Finds the window of each reading, its end, and the index of the reading's hour in it."""

import numpy as np

from consumer.compiled import compiled
from consumer.core.columns import Records
from season.calendar import HOUR, I64, MAX_WINDOW_HOURS, Bool, Calendar
from season.steps import STEPS


def locate(readings: Records, calendar: Calendar) -> tuple[Bool, I64]:
    """Write window, end and hour index of their instants into readings [n].

    Returns which of them are a full hour of the calendar's clock [n] (the hour index of any other means nothing), and
    the clocks [c, 32]: the step of each hour, for the windows that are not simply 24 hours in a row.
    """
    full, irregular = np.empty(len(readings), np.bool_), np.empty(len(readings), np.bool_)
    if not locate_in_table(readings, *calendar.windows, full, irregular):
        readings["day"] = calendar.days(readings["instant"])
        readings["end"] = calendar.ends(readings["day"].astype(np.int64))
        irregular[:] = True
    clocks = np.empty((0, MAX_WINDOW_HOURS), np.int64)
    if irregular.any():
        rows = np.flatnonzero(irregular)
        readings[rows], full[rows], clocks = _locate_irregular(readings[rows], calendar)
    return full, clocks


def _locate_irregular(readings: Records, calendar: Calendar) -> tuple[Records, Bool, I64]:
    """Return readings [n] located in windows of any number of hours, from their days, and what `locate` returns."""
    days, instants = readings["day"].astype(np.int64), readings["instant"].copy()
    readings["hour_index"], readings["hours"], readings["clock"] = calendar.hour_indices(instants, days), STEPS, -1
    irregular = calendar.irregular(days)
    clocks = np.zeros((len(irregular), MAX_WINDOW_HOURS), np.int64)
    for number, (day, rows) in enumerate(irregular):
        steps = calendar.hours(day).steps
        readings["hours"][rows], readings["clock"][rows] = len(steps), number
        clocks[number, : len(steps)] = steps
    return readings, calendar.on_the_hour(instants), clocks


@compiled
def locate_in_table(
    readings: Records, numbers: I64, starts: I64, irregulars: Bool, full: Bool, irregular: Bool
) -> bool:
    """Locate readings as if all windows had 24 hours; return False where one is beyond the table.

    The table has windows in order of time: their `numbers`, `starts` and which are `irregulars`, all [d].
    """
    at, low = 0, starts[0]
    high = low  # low to high: the window of the last reading, which most often is the next one's, too; none yet
    for i in range(len(readings)):
        reading = readings[i]
        instant = reading["instant"]
        if not low <= instant < high:
            if instant < starts[0] or instant >= starts[-1]:
                return False
            at = np.searchsorted(starts, instant, "right") - 1
            low, high = starts[at], starts[at + 1]
        reading["day"], reading["end"], reading["hours"], reading["clock"] = numbers[at], high, STEPS, -1
        reading["hour_index"] = (instant - low) // HOUR
        full[i] = (instant - low) % HOUR == 0
        irregular[i] = irregulars[at]
    return True
