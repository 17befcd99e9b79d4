"""A model's card: its data, recipe, figures and limits in Markdown, beside a plot. Never written by hand."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from season.calendar import Bool
from season.contract import Contract
from season.steps import STEPS
from training.days import ORIGINS, PARTS
from training.evaluate import Evaluation
from training.figures import BINS, Counts
from training.model import COMMAND, CONFIGURATION

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WINTER_COLOUR, SUMMER_COLOUR, PLAIN_COLOUR = "#2b6ca3", "#d9822b", "#555555"


def write(evaluation: Evaluation, card: Path) -> None:
    """Writes the card (`….md`) and its plot beside it (`….png`); raises `OSError` where that fails."""
    plot = card.with_suffix(".png")
    draw(evaluation, plot)
    card.write_text(markdown(evaluation, plot.name), encoding="utf-8")


def markdown(evaluation: Evaluation, plot: str) -> str:
    """The card's text; the same model and data give the same text."""
    contract = evaluation.model.contract
    parts = [
        f"# Model card: {contract.name}",
        "Made by `python -m training evaluate`; every figure comes from the file and the data named here.",
        headline(evaluation),
        f"![The two seasons' shapes, the accuracy by month, the calibration]({plot})",
        _model(evaluation),
        _data(evaluation),
        _recipe(evaluation),
        "## By month",
        by_month(evaluation),
        _calibration(evaluation),
        _wrong_days(evaluation),
        _limits(evaluation),
    ]
    return "\n\n".join(parts) + "\n"


def headline(evaluation: Evaluation) -> str:
    """The figures in one sentence."""
    figures, days = evaluation.figures, evaluation.days
    return (
        f"**{figures.accuracy:.2%} of {len(days)} days right** ({figures.total.right}, from {days.first} to "
        f"{days.last}), expected calibration error {figures.calibration_error:.4f}, "
        f"log loss {figures.log_loss:.4f}."
    )


def _model(evaluation: Evaluation) -> str:
    model, contract = evaluation.model, evaluation.model.contract
    rows = [
        ("file", f"`{model.path.name}`, {model.size / 1000:.1f} kB, version `{model.version}`"),
        ("input", "float32 [batch, 1, 24]: the hours of a day in MW, as they are metered"),
        ("output", "float32 [batch, 1]: the logit of winter"),
        ("label", f"winter where the logit's sigmoid reaches {contract.threshold:g}, else summer"),
        ("day", f"in `{contract.time_zone}`, from {contract.day_start} to the next"),
    ]
    return "## Model\n\n" + _table(("", ""), rows)


def _data(evaluation: Evaluation) -> str:
    contract, source = evaluation.model.contract, evaluation.source
    lines = []
    if contract.training_data is not None:
        lines.append(f"Trained on {_file(contract.training_data, contract.training_data_sha256)}")
        lines += _parts(contract)
    same = source.sha256 == contract.training_data_sha256
    lines.append(
        f"Evaluated on {'the same file' if same else _file(source.name, source.sha256)}: {len(evaluation.days)} "
        f"days from {evaluation.days.first} to {evaluation.days.last}. Of the whole file {source.incomplete} days "
        f"that lack an hour and {source.constant} whose hours are all equal were left out."
    )
    return "## Data\n\n" + "\n".join(f"- {line}" for line in lines)


def _file(name: str, sha256: str | None) -> str:
    origin = ORIGINS.get(sha256 or "")
    return f"`{name}`" + (f" (SHA-256 `{sha256}`)" if sha256 else "") + (f": {origin}" if origin else "")


def _parts(contract: Contract) -> Iterable[str]:
    """What each part of the training data was for, where the model's metrics say so."""
    for part, meaning in zip(PARTS, ("learned from", "the epoch was chosen on", "kept for the test"), strict=True):
        said = (contract.metrics or {}).get(part)
        if isinstance(said, dict) and {"first", "last", "days"} <= said.keys():
            yield f"{said['first']} to {said['last']}: {said['days']} days, {meaning}"


def _recipe(evaluation: Evaluation) -> str:
    made = evaluation.model.made
    if CONFIGURATION not in made:
        return "## Recipe\n\nThe file does not say how it was made."
    settings = [(f"`{name}`", f"{value}") for name, value in json.loads(made[CONFIGURATION]).items()]
    return (
        f"## Recipe\n\nOne command makes the file:\n\n```sh\n{made.get(COMMAND, '')}\n```\n\n"
        "A multilayer perceptron on the day's shape: the graph takes the level and the scale of each day off, "
        "two hidden layers follow. AdamW on the binary cross entropy, with noise on every hour; the epoch with "
        "the least loss on the days to choose on is kept. The reasons for each value stand in "
        "`training/recipes.py`.\n\n" + _table(("setting", "value"), settings)
    )


def by_month(evaluation: Evaluation) -> str:
    """The confusion by month, as a table."""
    figures = evaluation.figures
    rows = [(MONTHS[month - 1], *_confusion(counts)) for month, counts in figures.months.items()]
    head = ("month", "days", "winter as winter", "winter as summer", "summer as summer", "summer as winter", "right")
    return _table(head, [*rows, ("all", *_confusion(figures.total))])


def _confusion(counts: Counts) -> tuple[str, ...]:
    numbers = (
        counts.days,
        counts.winter_as_winter,
        counts.winter_as_summer,
        counts.summer_as_summer,
        counts.summer_as_winter,
    )
    return (*map(str, numbers), f"{counts.right / counts.days:.1%}")


def _calibration(evaluation: Evaluation) -> str:
    rows = [
        (
            f"{place / BINS:.1f} to {(place + 1) / BINS:.1f}",
            f"{tenth.days}",
            f"{tenth.probability:.3f}",
            f"{tenth.winter:.3f}",
        )
        for place, tenth in enumerate(evaluation.figures.bins)
        if tenth.days
    ]
    return (
        f"## Calibration\n\nExpected calibration error {evaluation.figures.calibration_error:.4f}: the mean over "
        f"the days of the gap between the last two columns, in {BINS} bins of the probability of winter.\n\n"
        + _table(("probability of winter", "days", "its mean", "share that is winter"), rows)
    )


def _wrong_days(evaluation: Evaluation) -> str:
    days, figures = evaluation.days, evaluation.figures
    several = len(set(days.zones.tolist())) > 1
    shown = figures.wrong[:100]
    names = [
        f"{days.days[row].astype('datetime64[D]')}" + (f" ({days.zones[row]})" if several else "") for row in shown
    ]
    more = f" and {len(figures.wrong) - len(shown)} more" if len(figures.wrong) > len(shown) else ""
    return "## Days it gets wrong\n\n" + (", ".join(names) + more if names else "None") + "."


def _limits(evaluation: Evaluation) -> str:
    worst = sorted(evaluation.figures.months.items(), key=lambda item: item[1].right / item[1].days)[:2]
    names = " and ".join(f"{MONTHS[month - 1]} ({counts.right / counts.days:.1%})" for month, counts in worst)
    zones = ", ".join(sorted(set(evaluation.days.zones.tolist()))[:10])
    limits = [
        "The label is the calendar's: October to March is winter, whatever the weather. Of a cold week in April "
        "it may say winter; that is what its subscribers look for, and it counts as wrong here.",
        f"Here the hardest months are {names}.",
        f"These figures are of {zones}. Another zone's day has another shape (climate, air conditioning, solar "
        "power behind the meter): evaluate on its readings before you trust it there.",
        "The shape of the day changes over the years: a model learned from old years slowly grows worse.",
        "It learned from whole days. Hours that the service filled in are a guess that the model takes for real.",
        "It sees the shape alone: neither the level nor the scale of the demand, nor the days before.",
    ]
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns stand in line on a terminal too."""
    lines = [head, *rows]
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    cells = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def draw(evaluation: Evaluation, path: Path) -> None:
    """Draws the card's plot: both seasons' shapes, accuracy by month, calibration."""
    figure = Figure(figsize=(13, 4), layout="constrained")
    shapes, months, calibration = figure.subplots(1, 3, width_ratios=(1.25, 1.25, 1))
    _draw_shapes(shapes, evaluation)
    _draw_months(months, evaluation)
    _draw_calibration(calibration, evaluation)
    for axes in (shapes, months, calibration):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"{evaluation.model.contract.name}: {evaluation.days.first} to {evaluation.days.last}, "
        f"{evaluation.figures.accuracy:.2%} of {len(evaluation.days)} days right"
    )
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _draw_shapes(axes: Axes, evaluation: Evaluation) -> None:
    steps = evaluation.days.steps
    shapes = (steps - steps.mean(axis=1, keepdims=True)) / steps.std(axis=1, keepdims=True)
    first = int(evaluation.model.contract.day_start[:2])
    hours = np.arange(STEPS)
    seasons: list[tuple[str, str, Bool]] = [
        ("winter", WINTER_COLOUR, evaluation.days.winter),
        ("summer", SUMMER_COLOUR, ~evaluation.days.winter),
    ]
    for name, colour, rows in seasons:
        if rows.any():
            low, middle, high = np.percentile(shapes[rows], (10, 50, 90), axis=0)
            axes.fill_between(hours, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(hours, middle, color=colour, label=f"{name} ({np.sum(rows)} days)")
    axes.set_xticks(range(0, STEPS, 3), [f"{(first + hour) % 24:02}" for hour in range(0, STEPS, 3)])
    axes.set(title="Shape of the day: median, 10 to 90 %", xlabel="hour of the clock", ylabel="standard deviations")
    axes.legend(frameon=False, loc="lower right")


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
