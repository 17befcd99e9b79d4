"""The committed model gives the logits that PyTorch gave, however its days come."""

import numpy as np
import onnx
import pytest

from training.command_line import MODEL, ROOT
from training.export import TOLERANCE, restore
from training.model import LoadedModel
from training.train import logits_of

from . import golden


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    """The committed model."""
    return LoadedModel.load(MODEL)


def test_the_file_gives_pytorchs_stored_logits(model: LoadedModel) -> None:
    """ONNX Runtime differs from the stored logits of PyTorch by less than the tolerance, in a batch and alone."""
    steps, logits = golden.read()
    assert len(steps) >= 36
    assert np.abs(model.score(steps) - logits).max() <= TOLERANCE
    assert np.abs([model.score(day[None])[0] for day in steps] - logits).max() <= TOLERANCE


def test_the_checkpoint_gives_the_stored_logits() -> None:
    """The stored logits are those of the committed checkpoint: both are of one training."""
    steps, logits = golden.read()
    network = restore(MODEL.with_suffix(".pt")).network
    assert np.abs(logits_of(network, steps) - logits).max() <= TOLERANCE


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 31, 64, 100, 512])
def test_a_logit_does_not_depend_on_its_batch(model: LoadedModel, size: int) -> None:
    """A day has the same bits in a batch of any size: how messages fall into batches changes nothing."""
    steps = np.tile(golden.read()[0], (10, 1))
    whole = model.score(steps)
    cut = np.concatenate([model.score(steps[start : start + size]) for start in range(0, len(steps), size)])
    assert whole.tobytes() == cut.tobytes()


def test_neither_scale_nor_level_changes_the_answer(model: LoadedModel) -> None:
    """A zone of 200 MW or 50 GW with Italy's shape, and a shifted level, get the same logit, but for rounding."""
    steps = golden.read()[0][:26]
    logits = model.score(steps)
    for other in (steps * 0.005, steps * 1.5, steps + 20000, steps - 60000, steps / 1e9):
        assert np.abs(model.score(other) - logits).max() < 0.02


@pytest.mark.parametrize("value", [0.0, 1e-30, 200.0, -200.0, 50000.0, 3e38])
def test_a_day_without_shape_has_a_finite_logit(model: LoadedModel, value: float) -> None:
    """A constant day, whatever its level, and one with a single other hour give finite logits."""
    days = np.full((2, 24), value)
    days[1, 7] = -value
    assert np.isfinite(model.score(days)).all()


def test_the_file_is_small_and_self_contained_and_names_no_machine() -> None:
    """Under 50 kB, no external data, no node metadata, no path of the machine that wrote it."""
    content = MODEL.read_bytes()
    assert len(content) < 50_000
    for path in (str(ROOT).encode(), b"/site-packages", b".py", b"/home", b"/root", b"/tmp"):
        assert path not in content
    file = onnx.load_model_from_string(content)
    assert not any(tensor.external_data for tensor in file.graph.initializer)
    assert not any(node.metadata_props or node.doc_string for node in file.graph.node)
    assert [tensor.name for tensor in (*file.graph.input, *file.graph.output)] == ["load", "winter_logit"]
