"""Differences between two states of a partition, as the changelog stores them."""

from dataclasses import dataclass, field

import numpy as np

from season.calendar import I64
from season.steps import F64


def _none() -> I64:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Changes:
    """Differences between two states of a partition. Zones are numbers in order of their first reading.

    - `names`: zones new to the state, numbered from `first_name` on.
    - `zones`, `stream`, `watermark` [z]: the zones whose times moved. Windows that end at the watermark or before it
      have ended, for ever.
    - `cell_zones`, `cell_days`, `cell_indices`, `cells` [c]: hours of windows (the index of each in its window) and
      their values, later ones over earlier ones. Cells of windows that the watermark has ended are ignored.
    - `window_zones`, `window_days`, `revisions` [w]: how often each of these windows has been scored.
    - `renewed`: in a snapshot, the range of its zones, first to end: it replaces all that was known of them, and
      `hours` [w, width] are all hours of their windows, NaN for a missing one. In differences it is (0, 0), and
      `width` is 0.
    """

    names: tuple[str, ...] = ()
    first_name: int = 0
    zones: I64 = field(default_factory=_none)
    stream: I64 = field(default_factory=_none)
    watermark: I64 = field(default_factory=_none)
    cell_zones: I64 = field(default_factory=_none)
    cell_days: I64 = field(default_factory=_none)
    cell_indices: I64 = field(default_factory=_none)
    cells: F64 = field(default_factory=lambda: np.empty(0))
    window_zones: I64 = field(default_factory=_none)
    window_days: I64 = field(default_factory=_none)
    revisions: I64 = field(default_factory=_none)
    hours: F64 = field(default_factory=lambda: np.empty((0, 0)))
    renewed: tuple[int, int] = (0, 0)
