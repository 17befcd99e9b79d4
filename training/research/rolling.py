"""`python -m training.research.rolling`: the recipe for readings on years that it has not seen, in three tables.

The origin rolls: the network learns from all of Italy's days before a year and is tested on it, for 2018, 2019 and
2020. Every choice in the recipe was made on these years; 2021 is not looked at.
"""

import dataclasses
import functools
import sys
from collections.abc import Sequence

import numpy as np
from torch import nn

from season import files
from season.calendar import Calendar
from training import days
from training.command_line import DATA, parse
from training.days import Days
from training.disturb import DISTURBANCES
from training.figures import Figures, figures
from training.recipes import LOAD, Configuration
from training.tables import markdown
from training.train import learn, logits_of

TESTED = (2018, 2019, 2020)
FIRST, LAST = 2015, 2020
SEEDS = (0, 1, 2)
THRESHOLD = 0.5

PLAIN = LOAD.model_copy(update={"jitter": 0.0, "filled": 0.0, "sun": 0.0, "temperature": 1.0})
RECIPES = {
    "a fifth of the epochs": LOAD.model_copy(update={"epochs": 40}),
    "(96, 48) neurons": LOAD.model_copy(update={"hidden": (96, 48)}),
    "without augmentation": PLAIN,
    "**the recipe**": LOAD,
}


def main() -> None:
    """Print the three tables."""
    known = read()
    for title, table in (
        ("Learned from all years before", by_recipe),
        ("How accuracy falls from year to year", by_age),
        ("Days that are disturbed, 2018 to 2020", by_disturbance),
    ):
        sys.stdout.write(f"## {title}\n\n{table(known)}\n\n")
        sys.stdout.flush()


def read() -> Days:
    """Return Italy's days to the end of 2020, as the trainer reads them."""
    options = parse(["train"])
    found = days.load(DATA, files.options(options), Calendar("Europe/Rome")).days
    return found.between(f"{FIRST}-01-01", f"{LAST}-12-31")


def by_recipe(known: Days) -> str:
    """Print table a: each recipe on each tested year."""
    rows = []
    for name, recipe in RECIPES.items():
        found = [[held(recipe, seed, known, year) for year in TESTED] for seed in SEEDS]
        right = np.array([[each.accuracy for each in years] for years in found])
        error = np.mean([[each.calibration_error for each in years] for years in found])
        loss = np.mean([[each.log_loss for each in years] for years in found])
        spread = right.mean(axis=1).std(ddof=1)
        shown = [f"{share:.4f}" for share in (*right.mean(axis=0), right.mean(), spread, error, loss)]
        rows.append((name, *shown))
    head = ("recipe", *map(str, TESTED), "mean", "s.d. over seeds", "calibration error", "log loss")
    return markdown(head, rows)


def by_age(known: Days) -> str:
    """Print table b: how accuracy falls from year to year, and the gain of more years before the test."""
    spans = [(FIRST, FIRST), (FIRST, FIRST + 1), (LAST - 1, LAST - 1), (LAST - 2, LAST - 1), (LAST - 3, LAST - 1)]
    rows = []
    for first, last in [*spans, (FIRST, LAST - 1)]:
        networks = [learned(LOAD, seed, years(known, first, last)) for seed in SEEDS]
        later = [str(year) if year > last else "" for year in range(FIRST + 1, LAST + 1)]
        shown = [f"{mean_right(networks, years(known, int(y), int(y))):.4f}" if y else "" for y in later]
        rows.append((f"{first}" if first == last else f"{first} to {last}", *shown))
    return markdown(("learned from", *map(str, range(FIRST + 1, LAST + 1))), rows)


def by_disturbance(known: Days) -> str:
    """Print table c: how accuracy falls when the tested days are disturbed, with and without augmentation."""
    rows = []
    for name, disturb in DISTURBANCES.items():
        random = np.random.default_rng(0)
        disturbed = dataclasses.replace(known, steps=disturb(known.steps, random))
        shown = []
        for recipe in (PLAIN, LOAD):
            right = []
            for year in TESTED:
                networks = [learned(recipe, seed, years(known, FIRST, year - 1)) for seed in SEEDS]
                right.append(mean_right(networks, years(disturbed, year, year)))
            shown.append(f"{np.mean(right):.4f}")
        rows.append((name, *shown))
    return markdown(("the tested days", "without augmentation", "the recipe"), rows)


def held(recipe: Configuration, seed: int, known: Days, year: int) -> Figures:
    """Return a recipe's figures on a year after all years before it."""
    test = years(known, year, year)
    network = learned(recipe, seed, years(known, FIRST, year - 1))
    return figures(logits_of(network, test.steps), test.winter, test.months, THRESHOLD)


def mean_right(networks: Sequence[nn.Module], test: Days) -> float:
    """Return the share of days that get their label, in the mean over networks."""
    return float(np.mean([(logits_of(network, test.steps) >= 0) == test.winter for network in networks]))


@functools.cache
def years(known: Days, first: int, last: int) -> Days:
    """Return the days of some local years, cached: the same object for the same years."""
    return known.between(f"{first}-01-01", f"{last}-12-31")


@functools.cache
def learned(recipe: Configuration, seed: int, known: Days) -> nn.Module:
    """Return the network that a recipe makes of some days, in evaluation mode, cached."""
    return learn(recipe.model_copy(update={"seed": seed}), known, f"seed {seed}, {known.first} to {known.last}")


if __name__ == "__main__":
    main()
