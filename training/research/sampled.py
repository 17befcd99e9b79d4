"""`python -m training.research.sampled`: what recipes make of 67 days of a year of Italy's load, on those around it.

The archive has 67 days of one year to learn from, and no others to choose a recipe by. Here are thousands: each
sample is cut as the archive's days are, and has as many of each season.
"""

import sys
from collections.abc import Iterator, Sequence

import numpy as np

from season import files
from training import archive, days
from training.command_line import DATA, parse
from training.days import Days
from training.figures import F32, Figures, figures
from training.recipes import ARCHIVE, TUTORIAL
from training.tables import markdown
from training.train import learn, logits_of

YEARS = range(2015, 2021)  # 2021 is looked at by nobody
SAMPLES = 2  # of each year
SEASONS = {True: 34, False: 33}  # the archive's days of winter and of summer
TEMPERATURES = np.arange(0.3, 3.5, 0.05)

RECIPES = {
    "**the recipe**": ARCHIVE,
    "one network alone": ARCHIVE.model_copy(update={"members": 1}),
    "filters of 5 hours": ARCHIVE.model_copy(update={"kernel": 5}),
    "filters of 15 hours": ARCHIVE.model_copy(update={"kernel": 15}),
    "jitter 0.1": ARCHIVE.model_copy(update={"jitter": 0.1}),
    "jitter 0.3": ARCHIVE.model_copy(update={"jitter": 0.3}),
    "without mixup": ARCHIVE.model_copy(update={"mixup": 0.0}),
    "without dropout": ARCHIVE.model_copy(update={"dropout": 0.0}),
    "300 epochs": ARCHIVE.model_copy(update={"epochs": 300}),
    "a learning rate of 5e-3": ARCHIVE.model_copy(update={"learning_rate": 5e-3}),
    "100 epochs, filters of 15 hours, jitter 0.2, 5e-3": ARCHIVE.model_copy(
        update={"epochs": 100, "kernel": 15, "jitter": 0.2, "learning_rate": 5e-3}
    ),
    "a multilayer perceptron": ARCHIVE.model_copy(update={"architecture": "mlp"}),
    "the tutorial's network": TUTORIAL,
}


def main() -> None:
    """Print the table."""
    options = files.options(parse(["train"]))
    known = days.load(DATA, options, archive.WINDOWS).days
    rows = []
    for name, recipe in RECIPES.items():
        bold = recipe.model_copy(update={"temperature": 1.0})
        scored = []
        for seed, (sample, around) in enumerate(samples(known)):
            network = learn(bold.model_copy(update={"seed": seed}), sample)
            scored.append((logits_of(network, around.steps), around))
        accuracies = [worth(*each).accuracy for each in scored]
        error = np.std(accuracies) / np.sqrt(len(accuracies))
        rows.append((name, f"{np.mean(accuracies):.4f}", f"{error:.4f}", *least_loss(scored)))
    head = ("recipe", "accuracy", "its standard error", "log loss", "at the temperature")
    sys.stdout.write(markdown(head, rows) + "\n")


def worth(logits: F32, of: Days) -> Figures:
    """Return the figures of the logits of days."""
    return figures(logits, of.winter, of.months, 0.5)


def least_loss(scored: Sequence[tuple[F32, Days]]) -> tuple[str, str]:
    """Return the mean log loss at the temperature where it is least, and that temperature."""
    losses = [np.mean([worth(logits / np.float32(by), of).log_loss for logits, of in scored]) for by in TEMPERATURES]
    return f"{min(losses):.4f}", f"{TEMPERATURES[np.argmin(losses)]:.2f}"


def samples(known: Days) -> Iterator[tuple[Days, Days]]:
    """Yield samples of a year, each with all days of the two years before it and the two after."""
    years = known.days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    for year in YEARS:
        around = known[(years != year) & (np.abs(years - year) <= 2) & (years <= YEARS[-1])]
        for number in range(SAMPLES):
            random = np.random.default_rng([year, number])
            held_out = np.zeros(len(known), np.bool_)
            for season, count in SEASONS.items():
                rows = np.flatnonzero((years == year) & (known.winter == season))
                held_out[random.choice(rows, count, replace=False)] = True
            yield known[held_out], around


if __name__ == "__main__":
    main()
