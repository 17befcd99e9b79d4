"""Turns the hours of a window into the 24 steps that a model scores, in the service and in the trainer."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from season.calendar import I64, Calendar

F64 = NDArray[np.float64]

STEPS = 24

ByClock = Callable[[F64, I64, F64], None]


@dataclass(frozen=True, eq=False)
class DayWindows:
    """Whole days of one zone: `days` [n] (their numbers), `steps` [n, 24], `filled` [n] (how many hours)."""

    days: I64
    steps: F64
    filled: I64


def fill(values: F64, instants: I64) -> F64:
    """Return the hours of one window, missing ones (NaN) interpolated in time; at an edge, the nearest.

    Both arrays are [k], `instants` in epoch seconds, ascending; at least one value is there.
    """
    missing = np.isnan(values)
    here = np.flatnonzero(~missing)
    gaps = np.flatnonzero(missing)
    right = np.searchsorted(here, gaps)  # for each gap, the index in `here` of the next value after it
    before = here[np.maximum(right - 1, 0)]
    after = here[np.minimum(right, len(here) - 1)]
    # Before the first value, and after the last one, both neighbours are that value.
    before, after = np.where(right == 0, after, before), np.where(right == len(here), before, after)
    filled = values.copy()
    filled[gaps] = _between(
        values[before], values[after], instants[gaps] - instants[before], instants[after] - instants[before]
    )
    return filled


def by_clock(hours: F64, clock: I64, steps: F64) -> None:
    """Write the 24 steps of one window, of its `hours` [k, or more] and the step of each, `clock` [k].

    A plain loop, which the service compiles.
    """
    shares = np.zeros(STEPS, np.int64)
    steps[:] = 0.0
    for index in range(len(clock)):
        steps[clock[index]] += hours[index]
        shares[clock[index]] += 1
    for step in range(STEPS):
        if shares[step] > 1:
            steps[step] /= shares[step]
    for step in range(STEPS):
        if shares[step] == 0:
            before, after = step, step
            while before >= 0 and shares[before] == 0:
                before -= 1
            while after < STEPS and shares[after] == 0:
                after += 1
            if before < 0:
                steps[step] = steps[after]
            elif after == STEPS:
                steps[step] = steps[before]
            else:
                steps[step] = steps[before] + (steps[after] - steps[before]) * ((step - before) / (after - before))


def to_steps(values: F64, days: I64, calendar: Calendar, by_clock: ByClock = by_clock) -> F64:
    """Return the 24 steps [n, 24] of each window, in order from the day's start, of `values` [n, width].

    The first `calendar.counts(days)` values of a row are its hours, none of them missing. A step whose hour
    of the clock comes twice is the mean of the two; one whose hour is skipped is linear between the steps
    next to it (at an edge: the nearest). The service passes its compiled `by_clock`.
    """
    steps = values[:, :STEPS].copy()
    for day, rows in calendar.irregular(days):
        clock = calendar.hours(day).steps
        for row in np.flatnonzero(rows):
            by_clock(values[row], clock, steps[row])
    return steps


def day_windows(instants: I64, values: F64, calendar: Calendar, max_filled: int = 0) -> DayWindows:
    """Cut one zone's readings into windows; return those that lack at most `max_filled` hours.

    `instants` [m] are full hours in epoch seconds, in any order; of a repeated one the last value stands.
    """
    days, rows = np.unique(calendar.days(instants), return_inverse=True)
    counts = calendar.counts(days)
    table = np.full((len(days), max(STEPS, int(counts.max(initial=0)))), np.nan)
    table[rows, calendar.hour_indices(instants, days[rows])] = values
    filled = counts - np.count_nonzero(~np.isnan(table), axis=1)
    usable = np.flatnonzero((filled <= max_filled) & (filled < counts))
    for row in usable[filled[usable] > 0]:
        hours = calendar.hours(int(days[row])).instants
        table[row, : len(hours)] = fill(table[row, : len(hours)], hours)
    return DayWindows(days[usable], to_steps(table[usable], days[usable], calendar), filled[usable])


def _between(before: F64, after: F64, distance: I64 | int, span: I64 | int) -> F64:
    """Interpolate linearly; where both neighbours are one, `span` is 0 and the result is `before`."""
    share = np.divide(distance, span, out=np.zeros(np.shape(span)), where=np.asarray(span) != 0)
    return before + (after - before) * share
