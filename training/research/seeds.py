"""`python -m training.research.seeds`: the archive's recipe, ten seeds of it, on the days to test on."""

import sys

import numpy as np

from season import files
from training import archive, days
from training.command_line import ROOT
from training.figures import figures
from training.recipes import recipe
from training.tables import markdown
from training.train import learn, logits_of

SEEDS = range(10)


def main() -> None:
    """Print the table."""
    known, test = (
        days.load(str(ROOT / "data" / f"ItalyPowerDemand_{part}.ts"), files.FileOptions(), archive.WINDOWS).days
        for part in ("TRAIN", "TEST")
    )
    found = []
    for seed in SEEDS:
        network = learn(recipe(None, archive=True, seed=seed), known)
        of = figures(logits_of(network, test.steps), test.winter, test.months, 0.5)
        found.append((of.accuracy, of.calibration_error, of.log_loss))
    rows = [(f"{seed}", *(f"{figure:.4f}" for figure in each)) for seed, each in zip(SEEDS, found, strict=True)]
    rows.append(("mean", *(f"{figure:.4f}" for figure in np.mean(found, axis=0))))
    sys.stdout.write(markdown(("seed", "accuracy", "calibration error", "log loss"), rows) + "\n")


if __name__ == "__main__":
    main()
