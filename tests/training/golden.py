"""Days and the logits that PyTorch gives them; `python -m tests.training.golden` stores them, after a training.

The file stands for PyTorch in the tests: whatever runs the model has to give these logits.
"""

import json
from pathlib import Path

import numpy as np

from season import files
from season.calendar import Calendar
from season.steps import F64
from training import days
from training.command_line import DATA, MODEL, parse
from training.export import restore
from training.figures import F32
from training.train import logits_of

GOLDEN = Path(__file__).parent / "golden.json"


def read() -> tuple[F64, F32]:
    """The stored days [n, 24] and their logits [n]."""
    stored = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return np.array(stored["steps"]), np.array(stored["logits"], np.float32)


def make() -> None:
    """Stores days of 2021 and what could become of them, with the logits of the committed checkpoint."""
    options = files.options(parse(["evaluate"]))
    year = days.load(DATA, options, Calendar("Europe/Rome")).days.between("2021-01-01", "2021-12-31")
    changes = [
        int(np.flatnonzero(year.days == np.datetime64(date).astype(int))[0]) for date in ("2021-03-28", "2021-10-31")
    ]
    some = year.steps[sorted({*range(7, 365, 15), *changes})]
    steps = np.round(
        np.concatenate(
            [
                some,
                some[:4] * 0.005,  # a zone of 200 MW
                some[4:6] * 1e-6,
                some[6:8] * 1e30,
                some[8:10] - 1e5,  # net demand, below zero
                some[10:12] + 1e6,  # a day of little shape
                np.full((1, 24), 30000.0),
                np.zeros((1, 24)),
            ]
        ),
        9,
    )
    logits = logits_of(restore(MODEL.with_suffix(".pt")).network, steps)
    rows = ",\n".join(json.dumps(row) for row in steps.tolist())
    numbers = ", ".join(json.dumps(float(logit)) for logit in logits)
    GOLDEN.write_text(f'{{"logits": [{numbers}],\n"steps": [\n{rows}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    make()
