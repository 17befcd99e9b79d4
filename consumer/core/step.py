"""What a batch of readings does to a partition: which are late, which windows are scored, which end.

One pure step: from a state and readings to what happened (`Outcome`) and what it changes (`Changes`). What comes
out depends on the order of the readings alone, never on how they were cut into batches, and never on what the
model says of a window. The laws, all of them per zone:

- Stream time is the latest instant accepted. The horizon is the latest `stream time - grace` there ever was; a
  window whose end it has reached has ended.
- A reading is late when the horizon before it had reached its window's end. So a late one cannot move stream
  time, and the stream time before each reading is a plain running maximum.
- An accepted reading is new, a repeat (equal to the value that stands) or a correction (it differs from it).
- A window is due at the reading that completes it and at each correction from then on. What is due is scored,
  unless its 24 steps are all equal as 32-bit floats.
- What becomes of a window that ends unscored is in `ending.py`.
"""

from dataclasses import dataclass
from itertools import repeat

import numpy as np

from consumer.core.ending import end
from consumer.core.outcome import Outcome, Readings, Rules, Scorings, Windows, constant, join
from consumer.core.state import NEVER, Changes, State, window_keys
from season.calendar import I64, Bool, Calendar
from season.steps import F64, to_steps

_WIDTH = 32  # room for the hours of the longest window there is, which has 31
_APART = -2 * NEVER  # more than the instants of one zone span, to keep several zones apart in one ascending array


@dataclass(frozen=True, eq=False)
class _Timeline:
    """The readings [m] sorted by zone, and within it in their order, with the stream time that each one leaves.

    `zones`, `stream`, `horizon` [z]: the zones that have readings, and their times after the last one; `moved` [z]
    tells where they are not those of before.
    """

    order: I64
    reached: I64  # [m] stream time after each sorted reading, plus `_APART` for each zone before its own
    horizon_before: I64  # [m] in the order of the batch
    zones: I64
    stream: I64
    horizon: I64
    moved: Bool

    def causes(self, zones: I64, instants: I64) -> I64:
        """The reading, as its place in the batch, with which each zone's stream time reached an instant."""
        apart = np.searchsorted(self.zones, zones) * _APART
        return self.order[np.searchsorted(self.reached, apart + instants)]


@dataclass(frozen=True, eq=False)
class _Touched:
    """The windows [w] that have accepted readings, by zone and day, and what those readings do to them.

    `window` [a] is the window of each accepted reading; `fresh` and `changed` [a] tell whether it is the first
    of its hour, and whether it is no repeat. The `update_` columns [u] are the readings that changed a value,
    sorted by `cell` (window and hour) and then by their place among the accepted.
    """

    zones: I64
    days: I64
    rows: I64  # in the state, -1 for a window that these readings open
    before: F64  # [w, 32] the hours before the batch
    after: F64  # [w, 32] and after it
    window: I64
    fresh: Bool
    changed: Bool
    update_cells: I64
    update_places: I64
    update_values: F64

    def revisions_before(self, state: State) -> I64:
        """How often each window [w] was scored before the batch."""
        return np.where(self.rows >= 0, state.revision[self.rows], 0)

    def over(self, calendar: Calendar, timeline: _Timeline) -> Bool:
        """Which of the windows [w] have ended after the batch."""
        over: Bool = calendar.ends(self.days) <= timeline.horizon[np.searchsorted(timeline.zones, self.zones)]
        return over

    def hours_at(self, windows: I64, places: I64) -> F64:
        """The hours [n, 32] of windows as they stood just after a reading: each cell's last update up to it."""
        wide = len(self.window) + 1
        cells = windows[:, None] * _WIDTH + np.arange(_WIDTH)
        updates = self.update_cells * wide + self.update_places
        last = np.searchsorted(updates, cells * wide + places[:, None], "right") - 1
        updated = (last >= 0) & (self.update_cells[last] == cells)
        return np.where(updated, self.update_values[last], self.before[windows])


@dataclass(frozen=True, eq=False)
class _Due:
    """Windows due for scoring, in the order of window and reading, and how often each touched one is scored."""

    scorings: Scorings
    flattened: Windows
    revisions: I64  # [w] after the batch


def step(state: State, readings: Readings, now: float, rules: Rules) -> tuple[Outcome, Changes]:
    """What readings do and what it changes; `now` is the wall clock in epoch seconds. The state stays as it is."""
    ahead = readings.instants > now + rules.max_future
    here = np.flatnonzero(~ahead)
    zones, names = _number(state, [readings.zones[i] for i in here] if ahead.any() else readings.zones)
    days = state.calendar.days(readings.instants[here])
    timeline = _timeline(state, zones, readings.instants[here], rules)
    late = state.calendar.ends(days) <= timeline.horizon_before
    accepted = np.flatnonzero(~late)
    places = here[accepted]
    touched = _touch(state, zones[accepted], days[accepted], readings.instants[places], readings.demands[places])
    due = _due(state, touched, places)
    over = touched.over(state.calendar, timeline)
    unscored = _unscored(state, timeline, touched, over, due, here, rules)
    endings = end(unscored, state.calendar, rules.max_filled)
    outcome = Outcome(
        future=np.flatnonzero(ahead),
        late=here[late],
        late_days=days[late],
        accepted=len(accepted),
        heard=touched.zones,
        repeats=int(np.count_nonzero(~touched.changed)),
        corrections=int(np.count_nonzero(touched.changed & ~touched.fresh)),
        scorings=join(due.scorings, endings.scored),
        incomplete=endings.incomplete,
        constant=endings.constant,
        flattened=due.flattened,
    )
    return outcome, _changes(state, names, timeline, touched, over, due)


def _number(state: State, zones: list[str]) -> tuple[I64, tuple[str, ...]]:
    """The number of each reading's zone, and the names of the zones that are new."""
    numbers = np.fromiter(map(state.numbers.get, zones, repeat(-1)), np.int64, len(zones))
    new: dict[str, int] = {}
    for place in np.flatnonzero(numbers < 0):
        numbers[place] = new.setdefault(zones[place], len(state.names) + len(new))
    return numbers, tuple(new)


def _timeline(state: State, zones: I64, instants: I64, rules: Rules) -> _Timeline:
    order = np.argsort(zones, kind="stable")
    sorted_zones = zones[order]
    first = np.ones(len(zones), bool)
    first[1:] = sorted_zones[1:] != sorted_zones[:-1]
    heads = sorted_zones[first]
    stream, horizon = _times(state.stream, heads), _times(state.horizon, heads)
    group = np.cumsum(first) - 1
    reached = np.maximum.accumulate(np.maximum(instants[order], stream[group]) + group * _APART)
    before = np.empty_like(reached)
    before[1:] = reached[:-1] - group[1:] * _APART
    before[first] = stream
    horizon_before = np.empty_like(reached)
    horizon_before[order] = np.maximum(before - rules.grace, horizon[group])
    last = np.append(np.flatnonzero(first)[1:], len(zones))[: len(heads)] - 1
    after = reached[last] - group[last] * _APART
    horizon_after = np.maximum(horizon, after - rules.grace)
    moved = (after != stream) | (horizon_after != horizon)
    return _Timeline(order, reached, horizon_before, heads, after, horizon_after, moved)


def _times(column: I64, zones: I64) -> I64:
    """A state's column at zones that may be new to it."""
    times = np.full(len(zones), NEVER)
    known = zones < len(column)
    times[known] = column[zones[known]]
    return times


def _touch(state: State, zones: I64, days: I64, instants: I64, demands: F64) -> _Touched:
    _, heads, window = np.unique(window_keys(zones, days), return_index=True, return_inverse=True)
    rows = state.rows(zones[heads], days[heads])
    before = np.full((len(heads), _WIDTH), np.nan)
    before[rows >= 0, : state.values.shape[1]] = state.values[rows[rows >= 0]]
    cells = window * _WIDTH + state.calendar.places(instants, days)
    order = np.argsort(cells, kind="stable")
    cells, values = cells[order], demands[order]
    standing = np.empty_like(values)
    standing[1:] = values[:-1]
    first = np.ones(len(cells), bool)
    first[1:] = cells[1:] != cells[:-1]
    standing[first] = before.ravel()[cells[first]]
    fresh, changed = np.empty(len(cells), bool), np.empty(len(cells), bool)
    fresh[order] = np.isnan(standing)
    update = values != standing
    changed[order] = update
    after = before.copy()
    after.ravel()[cells[update]] = values[update]
    return _Touched(
        zones=zones[heads],
        days=days[heads],
        rows=rows,
        before=before,
        after=after,
        window=window,
        fresh=fresh,
        changed=changed,
        update_cells=cells[update],
        update_places=order[update],
        update_values=values[update],
    )


def _due(state: State, touched: _Touched, places: I64) -> _Due:
    """The scorings that readings bring about at once; `places` [a] are the accepted readings' in the batch."""
    order = np.argsort(touched.window, kind="stable")
    window, changed, fresh = touched.window[order], touched.changed[order], touched.fresh[order]
    there = np.count_nonzero(~np.isnan(touched.before), axis=1)[window] + _running(fresh, window) + fresh
    complete = changed & (there == state.calendar.counts(touched.days)[window])
    at, window_at = order[complete], window[complete]
    last_update = np.zeros(len(touched.days), np.int64)
    last_update[window[changed]] = order[changed]
    hours = touched.after[window_at]
    stale = at != last_update[window_at]
    hours[stale] = touched.hours_at(window_at[stale], at[stale])
    steps = to_steps(hours, touched.days[window_at], state.calendar)
    flat = constant(steps)
    revisions = touched.revisions_before(state)
    told = revisions[window_at] + _running(~flat, window_at)
    windows = Windows(places[at], touched.zones[window_at], touched.days[window_at], hours)
    return _Due(
        scorings=Scorings(windows, steps, np.zeros_like(at), told).take(~flat),
        flattened=windows.take(flat & (told > 0)),
        revisions=revisions + np.bincount(window_at[~flat], minlength=len(revisions)),
    )


def _running(flags: Bool, groups: I64) -> I64:
    """How many flags of the same group stand before each one; `groups` [n] ascend."""
    before: I64 = np.cumsum(flags) - flags
    running: I64 = before - before[np.searchsorted(groups, groups)]
    return running


def _unscored(
    state: State, timeline: _Timeline, touched: _Touched, over: Bool, due: _Due, here: I64, rules: Rules
) -> Windows:
    """The windows that end in this batch without ever having been scored, with the readings that end them."""
    late = over & (due.revisions == 0)
    rows = state.rows_of(timeline.zones[timeline.zones < len(state.names)])
    limits = timeline.horizon[np.searchsorted(timeline.zones, state.zone[rows])]
    rows = rows[(state.end[rows] <= limits) & (state.revision[rows] == 0) & ~np.isin(rows, touched.rows)]
    hours = np.full((len(rows), _WIDTH), np.nan)
    hours[:, : state.values.shape[1]] = state.values[rows]
    zones = np.append(touched.zones[late], state.zone[rows])
    days = np.append(touched.days[late], state.day[rows])
    causes = here[timeline.causes(zones, state.calendar.ends(days) + rules.grace)]
    return Windows(causes, zones, days, np.vstack([touched.after[late], hours]))


def _changes(
    state: State, names: tuple[str, ...], timeline: _Timeline, touched: _Touched, over: Bool, due: _Due
) -> Changes:
    """What the batch changes: times that moved, and values and revisions of the windows that are still open."""
    moved = timeline.moved
    last = np.ones(len(touched.update_cells), bool)
    last[:-1] = touched.update_cells[1:] != touched.update_cells[:-1]
    kept = last & ~over[touched.update_cells // _WIDTH]
    windows, places = np.divmod(touched.update_cells[kept], _WIDTH)
    rescored = ~over & (due.revisions != touched.revisions_before(state))
    return Changes(
        names=names,
        first_name=len(state.names),
        zones=timeline.zones[moved],
        stream=timeline.stream[moved],
        horizon=timeline.horizon[moved],
        cell_zones=touched.zones[windows],
        cell_days=touched.days[windows],
        cell_places=places,
        cells=touched.update_values[kept],
        window_zones=touched.zones[rescored],
        window_days=touched.days[rescored],
        revisions=due.revisions[rescored],
    )
