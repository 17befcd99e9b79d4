"""Microseconds a window of the model as the service asks it, beside the same weights in PyTorch, both on one thread.

Both begin with the windows' steps as 64-bit floats and end with the logits as an array.
"""

from pathlib import Path

import numpy as np
import torch

from benchmarks.side import Pair, side_by_side, table
from consumer.adapters.model import load
from season.messages import F32
from season.steps import F64
from training.export import restore

MODELS = Path(__file__).resolve().parent.parent / "models"
WINDOWS = 4096  # of each run, in batches
BATCHES = (1, 64, 512, 4096)
RUNS = 15


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    ours = load(str(MODELS / "season_classifier.onnx"))
    network = restore(MODELS / "season_classifier.pt").network
    steps = np.random.default_rng(1).uniform(20_000, 50_000, (WINDOWS, 24))

    def eager(batch: F64) -> F32:
        with torch.inference_mode():
            logits: F32 = network(torch.from_numpy(batch.astype(np.float32)[:, None]))[:, 0].numpy()
        return logits

    np.testing.assert_allclose(ours.score(steps), eager(steps), rtol=1e-3, atol=1e-3)
    pairs: list[Pair] = []
    for size in BATCHES:
        batches = [steps[start : start + size] for start in range(0, WINDOWS, size)]
        pairs.append(
            side_by_side(
                f"batches of {size:,}",
                lambda batches=batches: [ours.score(batch) for batch in batches],  # type: ignore[misc]
                lambda batches=batches: [eager(batch) for batch in batches],  # type: ignore[misc]
                WINDOWS,
                RUNS,
                1e6,
            )
        )
    table("The model: microseconds a window", "ONNX Runtime", "PyTorch eager", pairs)
