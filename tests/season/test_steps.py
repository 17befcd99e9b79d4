"""Filling and steps, each against the sentence of the rule written out by hand."""

import numpy as np
import pytest

from season.calendar import HOUR, Calendar
from season.steps import day_windows, fill, to_steps

ROME = Calendar("Europe/Rome")


def day(date: str) -> int:
    """The number of a date's window."""
    return int(np.datetime64(date, "D").astype(np.int64))


def test_missing_hours_are_linear_in_time_and_nearest_at_an_edge() -> None:
    """A missing hour lies on its neighbours' line in time, not in place; at an edge it is the nearest."""
    values = np.array([np.nan, 10.0, np.nan, np.nan, 50.0, np.nan])
    instants = np.array([0, 1, 2, 4, 5, 6], np.int64) * HOUR
    assert fill(values, instants).tolist() == [10.0, 10.0, 20.0, 40.0, 50.0, 50.0]


def test_a_doubled_hour_is_the_mean_and_a_skipped_one_lies_between() -> None:
    """On Rome's two days of clock changes the 24 steps follow the clock, not the hours."""
    autumn, spring = day("2021-10-31"), day("2021-03-28")
    values = np.full((2, 25), np.nan)
    values[0, :25] = np.arange(25) * 10.0
    values[1, :23] = np.arange(23) * 10.0
    steps = to_steps(values, np.array([autumn, spring]), ROME)
    assert steps[0].tolist() == [0.0, 10.0, 25.0, *(np.arange(4, 25) * 10.0)]
    assert steps[1].tolist() == [0.0, 10.0, 15.0, *(np.arange(2, 23) * 10.0)]


def test_a_skipped_hour_at_an_edge_is_its_neighbour() -> None:
    """Where the first or the last hour of a day is skipped, its step equals the nearest there is."""
    beirut = Calendar("Asia/Beirut")
    number = day("2021-03-28")
    values = np.arange(24.0)[None, :] + 5.0
    assert beirut.hours(number).steps.tolist() == list(range(1, 24))
    assert to_steps(values, np.array([number]), beirut)[0, :3].tolist() == [5.0, 5.0, 6.0]


@pytest.mark.parametrize(("missing", "max_filled", "kept"), [(0, 0, 3), (1, 0, 2), (1, 1, 3), (2, 1, 2), (24, 24, 2)])
def test_days_with_too_many_missing_hours_are_left_out(missing: int, max_filled: int, kept: int) -> None:
    """The trainer sees whole days, and those that lack no more hours than it allows; never an empty one."""
    start = int(ROME.starts(np.array([day("2021-06-01")]))[0])
    instants = np.delete(start + np.arange(72) * HOUR, np.arange(24, 24 + missing))
    windows = day_windows(instants, np.sqrt(instants.astype(np.float64)), ROME, max_filled)
    assert len(windows.days) == len(windows.steps) == kept
    assert windows.steps.shape == (kept, 24)
    assert np.isfinite(windows.steps).all()
    assert windows.filled.sum() == (missing if kept == 3 else 0)


def test_order_does_not_matter_and_the_last_repeat_stands() -> None:
    """Readings may come in any order; a repeated hour takes the value that came last."""
    start = int(ROME.starts(np.array([day("2021-06-01")]))[0])
    instants, values = start + np.arange(24) * HOUR, np.arange(24.0)
    shuffled = np.random.default_rng(0).permutation(24)
    repeated = np.append(instants[shuffled], instants[5]), np.append(values[shuffled], 99.0)
    windows = day_windows(*repeated, ROME)
    assert windows.steps[0].tolist() == [*range(5), 99.0, *range(6, 24)]


def test_no_readings_no_windows() -> None:
    """Nothing in, nothing out."""
    windows = day_windows(np.empty(0, np.int64), np.empty(0), ROME)
    assert windows.steps.shape == (0, 24)
