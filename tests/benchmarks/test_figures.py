"""Spread, percentile and ratio of measured figures, and how a table shows them."""

import pytest

from benchmarks.figures import Spread, percentile, ratios, spread
from benchmarks.tables import TableRow, markdown, short, table


def test_a_spread_has_minimum_median_and_maximum() -> None:
    """In whatever order the runs came; of two the median lies between them."""
    assert spread([3.0, 1.0, 7.0]) == Spread(1.0, 3.0, 7.0)
    assert spread([4.0, 2.0]) == Spread(2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("percent", "sample"), [(50, 50.0), (99, 99.0), (99.1, 100.0), (100, 100.0), (1, 1.0), (0, 1.0)]
)
def test_a_percentile_is_a_sample(percent: float, sample: float) -> None:
    """The smallest one that so many percent of them do not exceed."""
    assert percentile([float(number) for number in range(100, 0, -1)], percent) == sample


def test_the_99th_percentile_of_few_samples_is_the_largest() -> None:
    """Nothing is interpolated: of 40 samples 39 are 97.5 %."""
    assert percentile([float(number) for number in range(1, 41)], 99) == 40.0


def test_ratios_are_of_pairs() -> None:
    """A run is compared with the one that was measured beside it, not with the best or the median."""
    assert ratios([2.0, 9.0], [4.0, 3.0]) == [0.5, 3.0]
    with pytest.raises(ValueError, match="argument 2 is longer"):
        ratios([1.0], [1.0, 2.0])


def test_a_table_shows_spreads_and_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours first, each contender's spread, and ours / other for each other."""
    table(
        "Pace",
        ["service", "bare", "peer"],
        [TableRow("a task", [[1.0, 2.0, 4.0], [10.0, 10.0, 10.0], [1.0, 1.0, 8.0]])],
    )
    head, rule, row, _ = capsys.readouterr().out.split("\n", 3)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert [cell.strip() for cell in head.strip("|").split("|")][-2:] == ["service / bare", "service / peer"]
    assert cells[1:] == [
        "1.00 / 2.00 / 4.00", "10.0 / 10.0 / 10.0", "1.00 / 1.00 / 8.00", "0.10 / 0.20 / 0.40", "0.50 / 1.00 / 2.00",
    ]  # fmt: skip
    assert len(head) == len(rule) == len(row)


def test_cells_stand_under_each_other() -> None:
    """The first column to the left, figures to the right, as Markdown has it."""
    assert markdown(["a", "b"], [["long", "10"]]) == ["| a    |  b |", "| ---- | -: |", "| long | 10 |"]


@pytest.mark.parametrize(
    ("figure", "text"),
    [(0.01234, "0.012"), (0.1234, "0.12"), (9.876, "9.88"), (12.34, "12.3"), (1234.5, "1,234"), (361_000, "361,000")],
)
def test_figures_have_the_digits_that_mean_something(figure: float, text: str) -> None:
    """Three of them, or all before the point."""
    assert short(figure) == text
