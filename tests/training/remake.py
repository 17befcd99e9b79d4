"""`python -m tests.training.remake` (`make models`): each committed model is what its command makes.

Runs the command that each file under models/ names, and holds what comes out to what is committed: every figure of
its training, and on the machine that made the files every weight.
"""

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from training.command_line import ROOT
from training.export import restore
from training.model import COMMAND, LoadedModel

TOLERANCE = 0.01  # of a share of days: another machine rounds otherwise, and a network learns otherwise then
MODELS = sorted((ROOT / "models").glob("*.onnx"))


def main() -> int:
    """Status 0 when all models come out as they are committed, but for the tolerance; else 1."""
    with tempfile.TemporaryDirectory() as folder:
        return max(remade(path, Path(folder) / path.name) for path in MODELS)


def remade(committed: Path, anew: Path) -> int:
    """Makes one model anew and says how it compares; 1 where it differs by more than the tolerance."""
    before = LoadedModel.load(committed)
    arguments = shlex.split(before.made[COMMAND])[1:]
    subprocess.run([sys.executable, *arguments, "--out", str(anew)], cwd=ROOT, check=True)
    after = LoadedModel.load(anew)
    gap = difference(before.contract.metrics, after.contract.metrics)
    weights = (restore(path.with_suffix(".pt")).network.state_dict() for path in (committed, anew))
    same = all(torch.equal(*pair) for pair in zip(*(each.values() for each in weights), strict=True))
    _say(
        f"{committed.name}: {before.made[COMMAND]}\n    "
        f"its figures differ by {gap:.4f} at most, its weights are {'the same' if same else 'others'}"
    )
    return int(gap > TOLERANCE)


def difference(before: object, after: object) -> float:
    """The largest difference between two metrics' shares of days; infinite where they do not say the same."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        return max((difference(before[name], after[name]) for name in before), default=0.0)
    if isinstance(before, float) and isinstance(after, float):
        return abs(before - after)
    return 0.0 if json.dumps(before) == json.dumps(after) else float("inf")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
