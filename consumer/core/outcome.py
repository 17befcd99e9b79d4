"""The core's input and output as columns: rules, readings, windows, outcomes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consumer.core.columns import U8, Records
from season.calendar import I64, Bool
from season.steps import F64, STEPS

NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class Rules:
    """The limits of windows: `grace_period` in seconds, `max_filled` in hours, `max_future` in seconds."""

    grace_period: float
    max_filled: int
    max_future: float

    @property
    def grace(self) -> int:
        """Return the grace period in whole seconds, which timestamps count in: rounded up."""
        return math.ceil(self.grace_period)


@dataclass(frozen=True, eq=False)
class Readings:
    """Well-formed readings of one partition, in its order.

    `records` [m] are of the type `READING`, and located; the names of their zones stand in `text`. `clocks` [c, 32]
    have the step of each hour of the windows that are not simply 24 hours in a row.
    """

    text: U8
    records: Records
    clocks: I64

    def __len__(self) -> int:
        return len(self.records)

    def select(self, rows: I64) -> "Readings":
        """Return the readings at `rows`."""
        return Readings(self.text, self.records[rows], self.clocks)


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows that something happened to.

    `causes` [n] are the indices in the batch of the readings that caused it, or -1; `zones` [n] are numbers of the
    state; `hours` [n, width] are the values in force, NaN for a missing one and beyond the window's last hour.
    """

    causes: I64
    zones: I64
    days: I64
    hours: F64

    def __len__(self) -> int:
        return len(self.days)

    def select(self, rows: I64 | Bool) -> "Windows":
        """Return the windows at `rows` (numbers or a mask)."""
        return Windows(self.causes[rows], self.zones[rows], self.days[rows], self.hours[rows])

    def at(self, rows: I64) -> "Windows":
        """Return the same windows with cause i renumbered to `rows[i]`, and cause -1 to the last of `rows`."""
        return Windows(rows[self.causes], self.zones, self.days, self.hours)

    def in_order(self) -> I64:
        """Return the rows in the order of the output: by cause, then by zone and by the windows' starts."""
        return np.lexsort((self.days, self.zones, self.causes))


@dataclass(frozen=True, eq=False)
class Scorings:
    """Windows to score: `steps` [n, 24] for the model, `filled` [n] hours filled, `revisions` [n] from 0."""

    windows: Windows
    steps: F64
    filled: I64
    revisions: I64

    def select(self, rows: I64 | Bool) -> "Scorings":
        """Return the scorings at `rows` (numbers or a mask)."""
        return Scorings(self.windows.select(rows), self.steps[rows], self.filled[rows], self.revisions[rows])

    def at(self, rows: I64) -> "Scorings":
        """Return the same scorings with their causes renumbered as by `Windows.at`."""
        return Scorings(self.windows.at(rows), self.steps, self.filled, self.revisions)


@dataclass(frozen=True, eq=False)
class Endings:
    """Windows that ended without having been scored: `scored` now, after filling, or dead letters of two kinds."""

    scored: Scorings
    incomplete: Windows
    constant: Windows


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a batch of readings did. Each is either `future`, or `late`, or one of the `accepted`.

    - `future`, `late`: indices in the batch; `late_days`: the windows of the late ones.
    - `accepted`, `repeats`, `corrections`: how many; repeats and corrections are among the accepted.
    - `accepted_zones`: the numbers of the zones of the accepted readings, each at least once.
    - `scorings` and the dead letters `incomplete` and `constant`: by cause, then by the windows' starts.
    - `flattened`: scored windows that a correction made constant; nothing is published for them.
    """

    future: I64
    late: I64
    late_days: I64
    accepted: int
    accepted_zones: I64
    repeats: int
    corrections: int
    scorings: Scorings
    incomplete: Windows
    constant: Windows
    flattened: Windows


def constant(steps: F64) -> Bool:
    """Return whether the 24 steps [n, 24] are all equal as 32-bit floats."""
    single = steps.astype(np.float32)
    equal: NDArray[np.bool_] = (single == single[:, :1]).all(axis=1)  # each step with the first of its row
    return equal


def no_windows() -> Windows:
    """Return no windows."""
    return Windows(NONE, NONE, NONE, np.empty((0, STEPS)))


def no_scorings() -> Scorings:
    """Return no scorings."""
    return Scorings(no_windows(), np.empty((0, STEPS)), NONE, NONE)


def join(one: Scorings, other: Scorings) -> Scorings:
    """Return scorings of two kinds, each in its order, their windows of one width, in the order of the outcome."""
    if not len(other.windows):
        return one
    a, b = one.windows, other.windows
    windows = Windows(
        np.concatenate([a.causes, b.causes]),
        np.concatenate([a.zones, b.zones]),
        np.concatenate([a.days, b.days]),
        np.concatenate([a.hours, b.hours]),
    )
    joined = Scorings(
        windows,
        np.concatenate([one.steps, other.steps]),
        np.concatenate([one.filled, other.filled]),
        np.concatenate([one.revisions, other.revisions]),
    )
    return joined.select(windows.in_order())
