"""Exports a PyTorch network to an ONNX file that keeps the model contract, and compares both before it writes it."""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from season.contract import Contract, ContractError
from season.settings import SettingError
from season.steps import F64, STEPS
from training.errors import FailedError
from training.model import COMMAND, CONFIGURATION, LoadedModel
from training.recipes import Architecture, Configuration
from training.train import build, logits_of

TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained network with the metadata of its ONNX file: the contract, and how it was trained.

    `command` is empty where nobody knows how.
    """

    network: nn.Module
    configuration: Configuration
    contract: Contract
    command: str

    def metadata(self) -> dict[str, str]:
        """Return all `metadata_props` of the ONNX file."""
        made = {CONFIGURATION: self.configuration.model_dump_json(), COMMAND: self.command}
        return self.contract.metadata() | (made if self.command else {})


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint: texts and tensors alone, so that reading it runs no code."""
    content = {"weights": checkpoint.network.state_dict(), "metadata": checkpoint.metadata()}
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        torch.save(content, file)


def restore(path: Path, architecture: Architecture | None = None, plain: Contract | None = None) -> Checkpoint:
    """Read a checkpoint of `training train`; the network is in evaluation mode.

    With `plain` a file of weights alone (a state_dict) is taken, too: it is the contract that such a file does not
    hold, and `architecture` has to name the network. Raises `SettingError` for a file that is none or whose
    weights are another architecture's.
    """
    content = _read(path)
    try:
        if plain is None or "metadata" in content:
            weights, metadata = content["weights"], content["metadata"]
            configuration = Configuration.model_validate_json(metadata[CONFIGURATION])
            contract = Contract.from_metadata(metadata, path.stem)
        else:
            weights, metadata, contract = content, {}, plain
            configuration = _configuration_of(weights, architecture)
    except ContractError as error:
        raise SettingError(f"--checkpoint {path}: {error}") from None
    except (LookupError, TypeError, AttributeError, ValueError):
        known = "one that `training train` wrote"
        allowed = (
            f"not {known}"
            if plain is None
            else f"neither {known} nor the weights of an {architecture or 'mlp'} network"
        )
        raise SettingError(f"--checkpoint {path}: it is {allowed}") from None
    wanted = architecture or configuration.architecture
    network = build(configuration)
    if configuration.architecture != wanted or not _loads(network, weights):
        raise SettingError(f"--checkpoint {path}: its weights are not those of --architecture {wanted}")
    return Checkpoint(network.eval(), configuration, contract, str(metadata.get(COMMAND, "")))


def _read(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise SettingError(f"--checkpoint {path}: {error.strerror}; a checkpoint is needed") from None
    except Exception:  # what torch raises for a file of another kind is of a dozen classes
        raise SettingError(f"--checkpoint {path}: the file is no PyTorch checkpoint of plain tensors") from None


def _loads(network: nn.Module, weights: Any) -> bool:
    try:
        network.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError):
        return False
    return True


def _configuration_of(weights: Any, architecture: Architecture | None) -> Configuration:
    """Return the configuration that the weights alone show: an `mlp`'s hidden layers."""
    if architecture == "tutorial":
        return Configuration(architecture=architecture)
    *hidden, _ = (len(values) for name, values in weights.items() if name.endswith(".weight"))
    return Configuration(hidden=tuple(hidden))


def write(checkpoint: Checkpoint, tests: F64, path: Path) -> float:
    """Write the ONNX file; return the largest difference between a logit of ONNX Runtime and PyTorch's.

    `tests` are days [n, 24]; each is scored in one batch and alone. Raises `FailedError`, and leaves
    what stood at `path`, where a logit differs by more than 1e-4.
    """
    with replacing(path) as unfinished:
        unfinished.write_bytes(to_onnx(checkpoint.network, checkpoint.metadata()).SerializeToString())
        model = LoadedModel.load(unfinished)
        wanted = logits_of(checkpoint.network, tests)
        alone = np.concatenate([model.score(day[None]) for day in tests])
        difference = float(np.max(np.abs(np.stack([model.score(tests), alone]) - wanted)))
        if not difference <= TOLERANCE:
            raise FailedError(
                f"--out {path} was not written: ONNX Runtime and PyTorch differ by {difference:.2g} in a logit of "
                f"{len(tests)} days, more than {TOLERANCE:g}"
            )
    return difference


def to_onnx(network: nn.Module, metadata: Mapping[str, str]) -> onnx.ModelProto:
    """Return the network's graph, self-contained, with its metadata and without a trace of this machine."""
    # It warns of torchvision, which nothing here needs.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    program = torch.onnx.export(
        network.eval(),
        (torch.zeros(2, 1, STEPS),),  # a batch of 1 the exporter may take for a constant
        dynamo=True,
        external_data=False,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        input_names=["load"],
        output_names=["winter_logit"],
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    # The exporter notes where each node comes from, with the paths of the machine that it runs on.
    graph = model.graph
    for noted in [graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output]:
        del noted.metadata_props[:]
        noted.doc_string = ""
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    return model


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Open a file to write that replaces `path` at the end, or not at all after an exception."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-")
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}; a folder that files can be written to is needed") from None
    unfinished = Path(name)
    try:
        os.close(handle)
        yield unfinished
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
