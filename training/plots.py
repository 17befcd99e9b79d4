"""A card's plots: the seasons' shapes, the model's doubt, accuracy by month, calibration; the days it gets wrong."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from season.calendar import Bool
from season.steps import F64, STEPS
from training.evaluate import Evaluation
from training.figures import sigmoid

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WINTER_COLOUR, SUMMER_COLOUR, PLAIN_COLOUR = "#2b6ca3", "#d9822b", "#555555"
MAX_DRAWN_DAYS = 24  # of the wrong days


def draw(evaluation: Evaluation, path: Path) -> None:
    """Draw the card's plot: both seasons' shapes, accuracy by month, calibration."""
    figure = Figure(figsize=(13, 4), layout="constrained")
    drawings = [_draw_shapes, *([_draw_months] if evaluation.days.dated else []), _draw_calibration]
    row = figure.subplots(1, len(drawings), width_ratios=[1.25] * (len(drawings) - 1) + [1])
    for axes, drawing in zip(row, drawings, strict=True):
        drawing(axes, evaluation)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"{evaluation.model.contract.name}: {evaluation.days.first} to {evaluation.days.last}, "
        f"{evaluation.figures.accuracy:.2%} of {len(evaluation.days)} days right"
    )
    figure.savefig(path, dpi=110, metadata={"Software": None})


def draw_wrong(evaluation: Evaluation, path: Path) -> None:
    """Draw the first 24 days with the other season's label, each over the mean shapes of both."""
    days, wrong = evaluation.days, evaluation.figures.wrong[:MAX_DRAWN_DAYS]
    shapes, winter = _shapes(days.steps), sigmoid(evaluation.logits)
    columns = min(6, len(wrong))
    rows = -(-len(wrong) // columns)
    figure = Figure(figsize=(2.2 * columns + 0.6, 1.9 * rows + 0.7), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, row in zip(grid, wrong, strict=False):
        axes.set_axis_on()
        for colour, season in ((WINTER_COLOUR, days.winter), (SUMMER_COLOUR, ~days.winter)):
            if season.any():
                axes.plot(np.mean(shapes[season], axis=0), color=colour, linewidth=0.9, alpha=0.7)
        axes.plot(shapes[row], color="black", linewidth=1.4)
        axes.set_title(f"{days.name(int(days.days[row]))}: winter {winter[row]:.2f}", fontsize=8)
        axes.set_xticks(*_clock(evaluation, 6), fontsize=7)
        axes.tick_params(axis="y", labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    more = (
        f", the first {len(wrong)} of {len(evaluation.figures.wrong)}"
        if len(evaluation.figures.wrong) > MAX_DRAWN_DAYS
        else ""
    )
    figure.suptitle(f"Days that it gets wrong{more} (black), over winter's (blue) and summer's mean", fontsize=10)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _shapes(steps: F64) -> F64:
    shapes: F64 = (steps - steps.mean(axis=1, keepdims=True)) / steps.std(axis=1, keepdims=True)
    return shapes


def _clock(evaluation: Evaluation, every: int) -> tuple[list[int], list[str]]:
    """Return the steps to be marked, and what the clock reads there."""
    first = int(evaluation.source.windows.day_start[:2])
    return list(range(0, STEPS, every)), [f"{(first + step) % 24:02}" for step in range(0, STEPS, every)]


def _draw_shapes(axes: Axes, evaluation: Evaluation) -> None:
    shapes, winter = _shapes(evaluation.days.steps), sigmoid(evaluation.logits)
    hours = np.arange(STEPS)
    seasons: list[tuple[str, str, Bool]] = [
        ("winter", WINTER_COLOUR, evaluation.days.winter),
        ("summer", SUMMER_COLOUR, ~evaluation.days.winter),
    ]
    for name, colour, rows in seasons:
        if rows.any():
            low, high = np.percentile(shapes[rows], (10, 90), axis=0)
            axes.fill_between(hours, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(hours, shapes[rows].mean(axis=0), color=colour, label=f"{name} ({np.sum(rows)} days)")
    doubtful = shapes[(winter > 0.2) & (winter < 0.8)]
    axes.plot(hours, doubtful.T, color=PLAIN_COLOUR, linewidth=0.5, alpha=0.5)
    axes.plot([], color=PLAIN_COLOUR, linewidth=0.5, label=f"in doubt, 0.2 to 0.8 ({len(doubtful)} days)")
    axes.set_xticks(*_clock(evaluation, 3))
    axes.set(
        title="Shape of the day: mean, 10 to 90 %; days in doubt",
        xlabel="hour of the clock",
        ylabel="standard deviations",
    )
    axes.legend(frameon=False, loc="lower right", fontsize=8)


def _draw_months(axes: Axes, evaluation: Evaluation) -> None:
    months = evaluation.figures.months
    shares = [100 * counts.right / counts.days for counts in months.values()]
    colours = [WINTER_COLOUR if month in {1, 2, 3, 10, 11, 12} else SUMMER_COLOUR for month in months]
    bars = axes.bar([MONTHS[month - 1] for month in months], shares, color=colours)
    axes.bar_label(bars, [f"{share:.0f}" for share in shares], fontsize=8, padding=2)
    axes.set_ylim(min(80.0, *shares) - 2 if shares else 0, 103)
    axes.set(title="Days right by month (axis cut)", ylabel="% of the month's days")
    axes.tick_params(axis="x", labelsize=8)


def _draw_calibration(axes: Axes, evaluation: Evaluation) -> None:
    bins = [tenth for tenth in evaluation.figures.bins if tenth.days]
    axes.plot((0, 1), (0, 1), color=PLAIN_COLOUR, linewidth=0.8, linestyle="--")
    axes.plot([tenth.probability for tenth in bins], [tenth.winter for tenth in bins], "o", color=PLAIN_COLOUR)
    for tenth in bins:
        below = tenth.winter > 0.5
        axes.annotate(
            f"{tenth.days}",
            (tenth.probability, tenth.winter),
            (0, -15 if below else 7),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    axes.set(
        title=f"Calibration (ECE {evaluation.figures.calibration_error:.3f}; numbers: days)",
        xlabel="probability of winter",
        ylabel="share that is winter",
        xlim=(-0.05, 1.05),
        ylim=(-0.08, 1.05),
    )
