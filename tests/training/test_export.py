"""An ONNX file is written whole and true, or not at all."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from season.contract import Contract
from season.settings import SettingError
from training.errors import FailedError
from training.export import Checkpoint, restore, save, write
from training.model import COMMAND, CONFIGURATION, LoadedModel
from training.networks import SeasonNetwork, TutorialNetwork
from training.recipes import Architecture, Configuration
from training.train import build, logits_of

CONFIGURED = Configuration(hidden=(8, 4), seed=3)
CONTRACT = Contract(name="test", time_zone="Asia/Kolkata", day_start="06:00", threshold=0.25, metrics={"a": [1]})
DAYS = np.random.default_rng(0).normal(30000, 5000, (10, 24))


class TwoFaced(SeasonNetwork):
    """A network that is another one while it is exported."""

    def forward(self, load: torch.Tensor) -> torch.Tensor:
        """A logit that is larger by 0.001 outside of the export."""
        return super().forward(load) + (0.0 if torch.compiler.is_exporting() else 0.001)


def checkpoint(network: nn.Module) -> Checkpoint:
    """A checkpoint with weights that nobody trained."""
    return Checkpoint(network.eval(), CONFIGURED, CONTRACT, "python -m training train")


def test_the_file_says_its_contract_and_how_it_was_made(tmp_path: Path) -> None:
    """What goes into the metadata comes out; the file stands alone in its folder, readable by all."""
    made = checkpoint(build(CONFIGURED))
    assert write(made, DAYS, tmp_path / "a.onnx") <= 1e-4
    model = LoadedModel.load(tmp_path / "a.onnx")
    assert model.contract == CONTRACT
    assert Configuration.model_validate_json(model.made[CONFIGURATION]) == CONFIGURED
    assert model.made[COMMAND] == "python -m training train"
    assert [file.name for file in tmp_path.iterdir()] == ["a.onnx"]
    assert (tmp_path / "a.onnx").stat().st_mode & 0o777 == 0o644


def test_the_file_holds_no_trace_of_the_machine(tmp_path: Path) -> None:
    """The exporter's notes on each node, with the paths of sources, are gone."""
    write(checkpoint(build(CONFIGURED)), DAYS, tmp_path / "a.onnx")
    content = (tmp_path / "a.onnx").read_bytes()
    for trace in (str(Path.cwd()).encode(), b"site-packages", b"train.py", b"stack_trace", b"pkg.torch"):
        assert trace not in content


def test_a_network_in_training_is_exported_without_its_dropout(tmp_path: Path) -> None:
    """The export is of the evaluation mode, whatever mode the network is in."""
    network = build(CONFIGURED)
    made = checkpoint(network)
    network.train()
    write(made, DAYS, tmp_path / "a.onnx")
    assert np.allclose(LoadedModel.load(tmp_path / "a.onnx").score(DAYS), logits_of(network, DAYS), atol=1e-4)


def test_a_file_that_disagrees_with_pytorch_is_not_written(tmp_path: Path) -> None:
    """A logit off by 0.001 is refused with a sentence, and the file that stood there stays; no rest is left."""
    out = tmp_path / "a.onnx"
    out.write_bytes(b"the old one")
    with pytest.raises(FailedError, match=r"was not written: ONNX Runtime and PyTorch differ by 0\.001"):
        write(checkpoint(TwoFaced(CONFIGURED.hidden, CONFIGURED.dropout)), DAYS, out)
    assert out.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [out]


def test_a_logit_that_is_no_number_is_not_written(tmp_path: Path) -> None:
    """NaN differs from everything: weights that ran away are refused as well."""
    network = build(CONFIGURED)
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    with pytest.raises(FailedError, match="was not written"):
        write(checkpoint(network), DAYS, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    """Configuration, contract, command and every bit of the logits."""
    made = checkpoint(build(CONFIGURED))
    save(made, tmp_path / "a.pt")
    back = restore(tmp_path / "a.pt")
    assert (back.configuration, back.contract, back.command) == (CONFIGURED, CONTRACT, made.command)
    assert logits_of(back.network, DAYS).tobytes() == logits_of(made.network, DAYS).tobytes()


class Harmful:
    """An object that runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Says what unpickling runs."""
        return Path.mkdir, (Path("harm"),)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no PyTorch checkpoint"),
        (b"\x80\x02garbage", "no PyTorch checkpoint"),
        (Harmful(), "no PyTorch checkpoint of plain tensors"),
        ({"0.weight": torch.zeros(2)}, "not one that `training train` wrote"),
        (torch.zeros(2), "not one that `training train` wrote"),
        ({"weights": {}, "metadata": {CONFIGURATION: "{"}}, "not one that `training train` wrote"),
        ({"weights": {}, "metadata": {CONFIGURATION: "{}"}}, "time_zone"),
        (
            {"weights": {}, "metadata": {CONFIGURATION: "{}", "season.time_zone": "UTC"}},
            "weights are not those of --architecture mlp",
        ),
    ],
)
def test_what_is_no_checkpoint_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: object, sentence: str
) -> None:
    """A sentence that names the file and what is wrong; no code of the file's is run."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(SettingError, match=rf"--checkpoint .*a\.pt.*{sentence}"):
        restore(path)
    assert not Path("harm").exists()


def test_a_checkpoint_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The operating system's reason is in the sentence."""
    with pytest.raises(SettingError, match="No such file"):
        restore(tmp_path / "a.pt")


@pytest.mark.parametrize("network", [SeasonNetwork((12, 6), 0.1), TutorialNetwork(0.1)], ids=["mlp", "tutorial"])
def test_weights_alone_become_a_model(tmp_path: Path, network: nn.Module) -> None:
    """A state_dict has no contract: the caller's is written, and nothing is said of how it was made."""
    torch.save(network.state_dict(), tmp_path / "best.pth")
    back = restore(tmp_path / "best.pth", "mlp" if isinstance(network, SeasonNetwork) else "tutorial", CONTRACT)
    assert write(back, DAYS, tmp_path / "a.onnx") <= 1e-5
    model = LoadedModel.load(tmp_path / "a.onnx")
    assert (model.contract, model.made) == (CONTRACT, {})
    assert np.allclose(model.score(DAYS), logits_of(network, DAYS), atol=1e-5)


@pytest.mark.parametrize("architecture", ["mlp", "tutorial"])
def test_weights_of_another_network_are_refused(tmp_path: Path, architecture: Architecture) -> None:
    """The sentence names the architecture that was asked for."""
    torch.save(nn.Linear(24, 1).state_dict(), tmp_path / "a.pt")
    with pytest.raises(SettingError, match=f"{architecture}"):
        restore(tmp_path / "a.pt", architecture, CONTRACT)


def test_the_tutorials_network_has_the_tutorials_names_and_convention() -> None:
    """Its state_dict is the tutorial's; its logit is class 0 less class 1, of a day of sample deviation 1."""
    network = TutorialNetwork(0.1).eval()
    shapes = {name: list(weights.shape) for name, weights in network.state_dict().items() if name.endswith("weight")}
    assert shapes == {
        "raw.0.layers.0.weight": [128, 1, 23],
        "raw.4.weight": [64, 128],
        "raw.7.weight": [64, 64],
        "out.0.weight": [64, 64],
        "out.2.weight": [2, 64],
    }
    days = (DAYS - DAYS.mean(axis=1, keepdims=True)) / DAYS.std(axis=1, ddof=1, keepdims=True)
    with torch.inference_mode():
        classes = network.out(network.raw(torch.from_numpy(days.astype(np.float32))[:, None]))
    assert np.allclose(logits_of(network, DAYS), (classes[:, 0] - classes[:, 1]).numpy(), atol=1e-6)
