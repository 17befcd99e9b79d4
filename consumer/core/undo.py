"""The undoing of changes whose transaction was aborted.

Before changes are applied, `before` keeps what they will overwrite: as much as they change, however much is open.
`undo` puts it back, the latest changes first, and the state is what was last committed.
"""

from dataclasses import dataclass

import numpy as np

from consumer.core.state import Changes, State
from season.calendar import I64, Bool
from season.steps import F64


@dataclass(frozen=True, eq=False)
class Before:
    """What a state was where changes touch it.

    - `known`: how many zones it had.
    - `zones`, `stream`, `horizon` [z]: the times of those of them whose time moves.
    - `ended_zones`, `ended_days`, `ended_revisions` [e], `ended_hours` [e, width]: the windows that end.
    - `was_open` [c]: whether the window of each changed cell was open; `cells`: the values of those that were.
    - `scored` [w]: whether each rescored window was open; `revisions`: of those that were.
    """

    changes: Changes
    known: int
    zones: I64
    stream: I64
    horizon: I64
    ended_zones: I64
    ended_days: I64
    ended_revisions: I64
    ended_hours: F64
    was_open: Bool
    cells: F64
    scored: Bool
    revisions: I64


def before(state: State, changes: Changes) -> Before:
    """What `changes` (of a step or a close, so their zones ascend) are about to overwrite."""
    known = len(state.names)
    zones = changes.zones[changes.zones < known]
    ended = state.rows_of(zones)
    limits = changes.horizon[np.searchsorted(changes.zones, state.zone[ended])]
    ended = ended[state.end[ended] <= limits]
    rows = state.rows(changes.cell_zones, changes.cell_days)
    was_open = rows >= 0
    rescored = state.rows(changes.window_zones, changes.window_days)
    scored = rescored >= 0
    return Before(
        changes=changes,
        known=known,
        zones=zones,
        stream=state.stream[zones],
        horizon=state.horizon[zones],
        ended_zones=state.zone[ended],
        ended_days=state.day[ended],
        ended_revisions=state.revision[ended],
        ended_hours=state.values[ended],
        was_open=was_open,
        cells=state.values[rows[was_open], changes.cell_places[was_open]],
        scored=scored,
        revisions=state.revision[rescored[scored]],
    )


def undo(state: State, was: Before) -> None:
    """Makes a state what it was before changes that are the last that were applied to it."""
    changes, open_ = was.changes, was.was_open
    opened = state.rows(changes.cell_zones[~open_], changes.cell_days[~open_])
    state.close(np.unique(opened[opened >= 0]))
    ends = state.calendar.ends(was.ended_days)
    rows = state.open(was.ended_zones, was.ended_days, ends)
    state.revision[rows] = was.ended_revisions
    state.values[rows, : was.ended_hours.shape[1]] = was.ended_hours
    rows = state.rows(changes.cell_zones[open_], changes.cell_days[open_])
    state.values[rows, changes.cell_places[open_]] = was.cells
    rows = state.rows(changes.window_zones[was.scored], changes.window_days[was.scored])
    state.revision[rows] = was.revisions
    state.stream[was.zones], state.horizon[was.zones] = was.stream, was.horizon
    state.cut(was.known)
