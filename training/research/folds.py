"""`python -m training.research.folds`: cross-validation of recipes inside the archive's 67 days to learn from.

What it promises of the recipe that `sampled` chose. The log loss is each recipe's at the temperature that suits it
best.
"""

import sys
from collections.abc import Iterator

import numpy as np

from season import files
from season.calendar import Bool
from training import archive, days
from training.__main__ import ROOT
from training.days import Days
from training.figures import F32, Figures, figures
from training.recipes import ARCHIVE, TUTORIAL, Configuration
from training.tables import markdown
from training.train import learn, logits_of

DATA = ROOT / "data" / "ItalyPowerDemand_TRAIN.ts"
PROTOCOLS = ((5, 4), (2, 10))  # folds, and how often they are cut anew
TEMPERATURES = np.arange(0.3, 2.0, 0.05)

RECIPES = {
    "**the recipe**": ARCHIVE,
    "100 epochs, filters of 15 hours, jitter 0.2": ARCHIVE.model_copy(
        update={"epochs": 100, "kernel": 15, "jitter": 0.2, "learning_rate": 5e-3}
    ),
    "a multilayer perceptron": ARCHIVE.model_copy(update={"architecture": "mlp"}),
    "the tutorial's network": TUTORIAL,
}


def main() -> None:
    """Prints the table."""
    known = days.load(str(DATA), files.FileOptions(), archive.WINDOWS).days
    rows = [
        (name, *(cell for protocol in PROTOCOLS for cell in held(recipe, known, *protocol)))
        for name, recipe in RECIPES.items()
    ]
    head = (f"{what}, {of}" for of in ("5 folds", "halves") for what in ("log loss", "temperature", "accuracy"))
    sys.stdout.write(markdown(("recipe", *head), rows) + "\n")


def held(recipe: Configuration, known: Days, count: int, repeats: int) -> tuple[str, str, str]:
    """The mean log loss out of fold, at which temperature, and the mean accuracy."""
    bold = recipe.model_copy(update={"temperature": 1.0})
    logits = [out_of_fold(bold, known, count, repeat) for repeat in range(repeats)]
    losses = [np.mean([of_all(known, each / np.float32(by)).log_loss for each in logits]) for by in TEMPERATURES]
    accuracy = np.mean([of_all(known, each).accuracy for each in logits])
    return f"{min(losses):.4f}", f"{TEMPERATURES[np.argmin(losses)]:.2f}", f"{accuracy:.4f}"


def out_of_fold(recipe: Configuration, known: Days, count: int, repeat: int) -> F32:
    """The logit of each day [n] by a network that has not learned from it."""
    logits = np.zeros(len(known), np.float32)
    for number, kept in enumerate(folds(known, count, repeat)):
        network = learn(recipe.model_copy(update={"seed": repeat * count + number}), known[~kept])
        logits[kept] = logits_of(network, known.steps[kept])
    return logits


def folds(known: Days, count: int, repeat: int) -> Iterator[Bool]:
    """Which days [n] each fold keeps, both seasons in their share."""
    random = np.random.default_rng(repeat)
    place = np.zeros(len(known), np.int64)
    for season in (True, False):
        rows = random.permutation(np.flatnonzero(known.winter == season))
        place[rows] = np.arange(len(rows)) % count
    yield from (place == fold for fold in range(count))


def of_all(known: Days, logits: F32) -> Figures:
    """What the logits of all days are worth."""
    return figures(logits, known.winter, known.months, 0.5)


if __name__ == "__main__":
    main()
