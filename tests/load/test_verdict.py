"""When a curve is said to level off."""

import math

import numpy as np

from tests.load.verdict import judge

TIMES = np.arange(0.0, 3600.0, 5.0)


def test_a_curve_that_rises_at_first_levels_off() -> None:
    """Only the second half counts: caches fill and the first segments are written in the first."""
    values = 200 + 50 * np.minimum(TIMES / 1200, 1)
    assert judge("memory", TIMES.tolist(), values.tolist(), 0.05).level


def test_a_leak_does_not() -> None:
    """A tenth more in half an hour is a leak, also under noise."""
    noise = np.random.default_rng(0).normal(0, 5, len(TIMES))
    verdict = judge("memory", TIMES.tolist(), (200 + 20 * TIMES / 1800 + noise).tolist(), 0.05)
    assert not verdict.level
    assert 0.07 < verdict.rise < 0.11


def test_what_goes_up_and_down_levels_off() -> None:
    """A changelog that grows by segments and is compacted again is level, though it grows most of the time."""
    values = 60 + (TIMES % 300) / 300 * 40
    assert judge("changelog", TIMES.tolist(), values.tolist(), 0.25).level


def test_samples_that_are_not_there_do_not_count() -> None:
    """A member that is down has no memory."""
    values = [math.nan if number % 3 else 100.0 for number in range(len(TIMES))]
    assert judge("memory", TIMES.tolist(), values, 0.05).mean == 100.0
