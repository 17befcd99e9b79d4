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
from training.command_line import ROOT
from training.days import Days
from training.figures import F32
from training.recipes import Configuration
from training.research.sampled import RECIPES, least_loss, worth
from training.tables import markdown
from training.train import learn, logits_of

DATA = ROOT / "data" / "ItalyPowerDemand_TRAIN.ts"
PROTOCOLS = ((5, 4), (2, 10))  # folds, and how often they are cut anew
COMPARED = (
    "**the recipe**",
    "100 epochs, filters of 15 hours, jitter 0.2, 5e-3",
    "a multilayer perceptron",
    "the tutorial's network",
)


def main() -> None:
    """Print the table."""
    known = days.load(str(DATA), files.FileOptions(), archive.WINDOWS).days
    rows = [
        (name, *(cell for protocol in PROTOCOLS for cell in held(RECIPES[name], known, *protocol)))
        for name in COMPARED
    ]
    head = (f"{what}, {of}" for of in ("5 folds", "halves") for what in ("log loss", "temperature", "accuracy"))
    sys.stdout.write(markdown(("recipe", *head), rows) + "\n")


def held(recipe: Configuration, known: Days, count: int, repeats: int) -> tuple[str, str, str]:
    """Return the mean log loss out of fold, its temperature, and the mean accuracy."""
    bold = recipe.model_copy(update={"temperature": 1.0})
    scored = [(out_of_fold(bold, known, count, repeat), known) for repeat in range(repeats)]
    accuracy = np.mean([worth(*each).accuracy for each in scored])
    return *least_loss(scored), f"{accuracy:.4f}"


def out_of_fold(recipe: Configuration, known: Days, count: int, repeat: int) -> F32:
    """Return the logit of each day [n] by a network that has not learned from it."""
    logits = np.zeros(len(known), np.float32)
    for number, held_out in enumerate(folds(known, count, repeat)):
        network = learn(recipe.model_copy(update={"seed": repeat * count + number}), known[~held_out])
        logits[held_out] = logits_of(network, known.steps[held_out])
    return logits


def folds(known: Days, count: int, repeat: int) -> Iterator[Bool]:
    """Yield which days [n] each fold holds out, both seasons in their share."""
    random = np.random.default_rng(repeat)
    ranks = np.zeros(len(known), np.int64)
    for season in (True, False):
        rows = random.permutation(np.flatnonzero(known.winter == season))
        ranks[rows] = np.arange(len(rows)) % count
    yield from (ranks == fold for fold in range(count))


if __name__ == "__main__":
    main()
