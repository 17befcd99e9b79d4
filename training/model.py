"""Runs an ONNX file in the trainer: its contract, how it was trained, and its logits."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import onnxruntime

from season.cause import cause
from season.contract import Contract, check_tensors
from season.settings import SettingError
from season.steps import F64
from training.figures import F32

# Beside the contract, in the file's metadata: how the model was made, for its card.
CONFIGURATION = "training.configuration"
COMMAND = "training.command"


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model that keeps the contract; `made` has its configuration (JSON) and command where the file says."""

    path: Path
    version: str
    size: int
    contract: Contract
    made: dict[str, str]
    _session: onnxruntime.InferenceSession

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file. Raises `SettingError` where it is no ONNX and `ContractError` for a broken contract."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SettingError(f"--model {path}: {error.strerror}; an ONNX file is needed") from None
        try:
            session = open_session(content)
        except Exception as error:  # ONNX Runtime's exceptions have no common class but this
            raise SettingError(
                f"--model {path}: ONNX Runtime cannot read it ({cause(error)}); an ONNX file is needed"
            ) from None
        check_tensors(session.get_inputs(), session.get_outputs())
        metadata = session.get_modelmeta().custom_metadata_map
        return cls(
            path=path,
            version=hashlib.sha256(content).hexdigest()[:12],
            size=len(content),
            contract=Contract.from_metadata(metadata, path.stem),
            made={name: metadata[name] for name in (CONFIGURATION, COMMAND) if name in metadata},
            _session=session,
        )

    def score(self, steps: F64) -> F32:
        """Return the logits [n] of days [n, 24], in one call."""
        load = steps.astype(np.float32)[:, None, :]
        (logits,) = self._session.run(None, {self._session.get_inputs()[0].name: load})
        flat: F32 = logits[:, 0]
        return flat


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """Return a file's session. Raises whatever ONNX Runtime raises for one that it cannot read."""
    options = onnxruntime.SessionOptions()
    # One thread each: its own choice looks at the machine's cores, and here a batch is small.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what it would log is in the exception
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
