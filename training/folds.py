"""`python -m training.folds`: cross-validation of recipes inside the archive's 67 days to learn from.

A recipe for those rows is chosen here, and nowhere else: the days to test on are scored once, when it is settled.
"""

import sys
from collections.abc import Iterator

import numpy as np

from season import files
from training import archive, days
from training.__main__ import ROOT
from training.days import Days
from training.figures import F32, figures
from training.recipes import ARCHIVE, TUTORIAL, Configuration
from training.tables import markdown
from training.train import learn, logits_of

DATA = ROOT / "data" / "ItalyPowerDemand_TRAIN.ts"
REPEATS, FOLDS = 4, 5

assert ARCHIVE.teacher is not None
RECIPES = {
    "**the recipe**": ARCHIVE,
    "one of its teachers": ARCHIVE.teacher,
    "the student without teachers": ARCHIVE.model_copy(update={"teachers": 0, "teacher": None}),
    "the same without mixup": ARCHIVE.model_copy(update={"teachers": 0, "teacher": None, "mixup": 0.0}),
    "the tutorial's network": TUTORIAL,
}


def main() -> None:
    """Prints the table."""
    known = days.load(str(DATA), files.FileOptions(), archive.WINDOWS).days
    rows = []
    for name, recipe in RECIPES.items():
        found = [of_all(known, out_of_fold(recipe, known, repeat)) for repeat in range(REPEATS)]
        rows.append((name, *(f"{mean:.4f}" for mean in np.mean(found, axis=0)), f"{np.std(found, axis=0)[0]:.4f}"))
    head = ("recipe", "accuracy", "log loss", "calibration error", "s.d. of the accuracy")
    sys.stdout.write(f"{REPEATS} times {FOLDS} folds of {len(known)} days\n\n{markdown(head, rows)}\n")


def out_of_fold(recipe: Configuration, known: Days, repeat: int) -> F32:
    """The logit of each day [n] by a network that has not learned from it."""
    logits = np.zeros(len(known), np.float32)
    for number, kept in enumerate(folds(known, repeat)):
        network = learn(recipe.model_copy(update={"seed": repeat * FOLDS + number}), known[~kept])
        logits[kept] = logits_of(network, known.steps[kept])
    return logits


def folds(known: Days, repeat: int) -> Iterator[np.typing.NDArray[np.bool_]]:
    """Which days [n] each fold keeps, both seasons in their share."""
    random = np.random.default_rng(repeat)
    place = np.zeros(len(known), np.int64)
    for season in (True, False):
        rows = random.permutation(np.flatnonzero(known.winter == season))
        place[rows] = np.arange(len(rows)) % FOLDS
    yield from (place == fold for fold in range(FOLDS))


def of_all(known: Days, logits: F32) -> tuple[float, float, float]:
    """Accuracy, log loss and calibration error."""
    found = figures(logits, known.winter, known.months, 0.5)
    return found.accuracy, found.log_loss, found.calibration_error


if __name__ == "__main__":
    main()
