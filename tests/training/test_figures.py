"""The figures are those that one can count by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.figures import BINS, LabelCounts, figures, log_loss, sigmoid

LOGITS = np.array([3.0, -0.1, 0.2, -4.0, -2.0], np.float32)
WINTER = np.array([True, True, False, False, False])
MONTHS = np.array([1, 1, 4, 4, 7])


def test_days_are_counted_by_season_and_label() -> None:
    """Each day is in one of four counts, in its month and in all."""
    found = figures(LOGITS, WINTER, MONTHS, 0.5)
    assert found.total == LabelCounts(1, 1, 1, 2)
    assert found.months == {1: LabelCounts(1, 1, 0, 0), 4: LabelCounts(0, 0, 1, 1), 7: LabelCounts(0, 0, 0, 1)}
    assert found.accuracy == 3 / 5
    assert found.wrong == (1, 2)


def test_the_label_is_winter_where_the_probability_reaches_the_threshold() -> None:
    """A probability equal to the threshold is winter, as in the service."""
    logits = np.zeros(2, np.float32)
    assert figures(logits, np.array([True, False]), np.array([1, 7]), 0.5).total == LabelCounts(1, 0, 1, 0)


def test_the_calibration_error_is_the_weighted_gap() -> None:
    """Two days said to be winter at 0.95, one of them is: 0.45; a third at 0.05 that is not: 0.05."""
    logits = np.log(np.array([0.95 / 0.05, 0.95 / 0.05, 0.05 / 0.95]), dtype=np.float64).astype(np.float32)
    found = figures(logits, np.array([True, False, False]), np.array([1, 4, 7]), 0.5)
    assert found.calibration_error == pytest.approx((2 * 0.45 + 0.05) / 3, abs=1e-6)
    assert [each.days for each in found.bins] == [1, *[0] * (BINS - 2), 2]


@given(st.lists(st.tuples(st.floats(width=32), st.booleans()), min_size=1))
def test_whatever_the_logits_every_day_is_counted_once(days: list[tuple[float, bool]]) -> None:
    """Months, bins and counts hold every day once, for infinite logits too."""
    finite = [(logit if not math.isnan(logit) else 0.0, winter) for logit, winter in days]
    logits = np.array([logit for logit, _ in finite], np.float32)
    winter = np.array([season for _, season in finite])
    found = figures(logits, winter, np.arange(len(winter)) % 12 + 1, 0.5)
    assert found.total.days == sum(counts.days for counts in found.months.values()) == len(days)
    assert sum(each.days for each in found.bins) == len(days)
    assert found.total.right + len(found.wrong) == len(days)
    assert 0 <= found.calibration_error <= 1


def test_the_loss_of_no_knowledge_is_ln_2() -> None:
    """Logits of 0 cost ln 2 each; a sure and wrong one its distance; no logit overflows."""
    winter = np.array([True, False])
    assert log_loss(np.zeros(2, np.float32), winter) == pytest.approx(math.log(2))
    assert log_loss(np.array([-1000, 1000], np.float32), winter) == pytest.approx(1000)
    assert sigmoid(np.array([-1000, 0, 1000], np.float32)).tolist() == [0, 0.5, 1]
