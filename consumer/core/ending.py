"""Decides what becomes of windows that ended without having been scored."""

import numpy as np

from consumer.core.outcome import Endings, Scorings, Windows, constant, no_scorings
from consumer.core.rule import by_clock
from season.calendar import Calendar
from season.steps import fill, to_steps


def end(windows: Windows, calendar: Calendar, max_filled: int) -> Endings:
    """Return what becomes of windows that ended without ever having been scored.

    One that lacks at most `max_filled` hours has them filled and is scored, unless its 24 steps are then equal
    as 32-bit floats; every other one is a dead letter.
    """
    if not len(windows):
        return Endings(no_scorings(), windows, windows)
    windows = windows.select(windows.in_order())
    counts = calendar.counts(windows.days)
    filled = counts - np.count_nonzero(~np.isnan(windows.hours), axis=1)
    fillable = filled <= max_filled
    candidates, filled = windows.select(fillable), filled[fillable]
    hours = candidates.hours.copy()
    for row in np.flatnonzero(filled > 0):
        instants = calendar.hours(int(candidates.days[row])).instants
        hours[row, : len(instants)] = fill(hours[row, : len(instants)], instants)
    steps = to_steps(hours, candidates.days, calendar, by_clock)
    flat = constant(steps)
    scored = Scorings(candidates, steps, filled, np.zeros_like(filled)).select(~flat)
    return Endings(scored, windows.select(~fillable), candidates.select(flat))
