"""Microseconds a window of each model as the service asks it, on one thread, beside the tutorial's network.

The model that ships stands beside its own weights in PyTorch, too. All begin with the windows' steps as 64-bit
floats and end with the logits as an array.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.side import side_by_side
from benchmarks.tables import TableRow, table
from consumer.adapters.model import load
from season.messages import F32
from season.steps import F64
from training.export import restore
from training.train import logits_of

MODELS = Path(__file__).resolve().parent.parent / "models"
WINDOWS = 4096  # of each run, in batches
BATCHES = (1, 64, 512)
RUNS = 5

Score = Callable[[F64], F32]


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    ours, benchmark, tutorial = (
        load(str(MODELS / f"{name}.onnx")) for name in ("season_classifier", "italy_power_demand", "tutorial")
    )
    network = restore(MODELS / "season_classifier.pt").network
    steps = np.random.default_rng(1).uniform(20_000, 50_000, (WINDOWS, 24))
    np.testing.assert_allclose(ours.score(steps), logits_of(network, steps), rtol=1e-3, atol=1e-3)
    shown = [
        ("The model that ships", ours.score, "PyTorch eager", lambda days: logits_of(network, days)),
        ("The model that ships", ours.score, "the tutorial's", tutorial.score),
        ("The archive's benchmark model", benchmark.score, "the tutorial's", tutorial.score),
    ]
    for name, score, other, baseline in shown:
        rows = [compared(size, steps, score, baseline) for size in BATCHES]
        table(f"{name}: µs a window", ["ONNX Runtime", other], rows)


def compared(size: int, steps: F64, ours: Score, baseline: Score) -> TableRow:
    """Measure both at batches of `size` windows."""
    batches = [steps[start : start + size] for start in range(0, len(steps), size)]
    return side_by_side(
        f"batches of {size:,}",
        lambda: [ours(batch) for batch in batches],
        lambda: [baseline(batch) for batch in batches],
        len(steps),
        RUNS,
        1e6,
    )
