"""The end of windows: what becomes of those that were never scored, and ends that no reading causes."""

import numpy as np

from consumer.core.outcome import Endings, Rules, Scorings, Windows, constant
from consumer.core.state import Changes, State
from season.calendar import I64, Calendar
from season.steps import fill, to_steps


def end(windows: Windows, calendar: Calendar, max_filled: int) -> Endings:
    """What becomes of windows that ended without ever having been scored.

    One that lacks at most `max_filled` hours has them filled and is scored, unless its 24 steps are then equal
    as 32-bit floats; every other one is a dead letter.
    """
    windows = windows.take(windows.in_order())
    counts = calendar.counts(windows.days)
    filled = counts - np.count_nonzero(~np.isnan(windows.hours), axis=1)
    fillable = filled <= max_filled
    candidates, filled = windows.take(fillable), filled[fillable]
    hours = candidates.hours.copy()
    for row in np.flatnonzero(filled > 0):
        instants = calendar.hours(int(candidates.days[row])).instants
        hours[row, : len(instants)] = fill(hours[row, : len(instants)], instants)
    steps = to_steps(hours, candidates.days, calendar)
    flat = constant(steps)
    scored = Scorings(candidates, steps, filled, np.zeros_like(filled)).take(~flat)
    return Endings(scored, windows.take(~fillable), candidates.take(flat))


def close(state: State, zones: I64, stream: I64, rules: Rules) -> tuple[Endings, Changes]:
    """Moves the stream time of (different) zones on without a reading, and ends the windows that are over then.

    With their stream time as it is this ends what a grace period shorter than before has ended.
    """
    horizon = np.maximum(state.horizon[zones], stream - rules.grace)
    moved = (stream != state.stream[zones]) | (horizon != state.horizon[zones])
    zones, stream, horizon = zones[moved], stream[moved], horizon[moved]
    rows = state.rows_of(zones)
    limits = horizon[np.searchsorted(zones, state.zone[rows])]
    rows = rows[(state.end[rows] <= limits) & (state.revision[rows] == 0)]
    windows = Windows(np.full(len(rows), -1), state.zone[rows], state.day[rows], state.values[rows])
    endings = end(windows, state.calendar, rules.max_filled)
    return endings, Changes(first_name=len(state.names), zones=zones, stream=stream, horizon=horizon)


def silence(state: State, zones: I64, rules: Rules) -> I64:
    """The stream time [z] of silent zones [z], ascending, each with an open window: their latest end plus grace."""
    rows = state.rows_of(zones)
    latest = np.full(len(zones), np.iinfo(np.int64).min)
    np.maximum.at(latest, np.searchsorted(zones, state.zone[rows]), state.end[rows])
    stream: I64 = np.maximum(latest + rules.grace, state.stream[zones])
    return stream
