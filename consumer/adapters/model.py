"""The ONNX model: loaded and held to its contract, asked for logits; and what a logit means.

The file is read once, whole: what runs is what the version (the first 12 hex digits of the bytes' SHA-256) names.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from season.contract import Contract, ContractError, check_tensors
from season.labels import SUMMER, WINTER
from season.messages import F32
from season.steps import F64, STEPS

# The settings that stand before what the file says.
OVERRIDES = {"threshold": "MODEL_THRESHOLD", "time_zone": "WINDOW_TIME_ZONE", "day_start": "WINDOW_DAY_START"}

_FATAL = 4  # ONNX Runtime's log level at which it writes nothing of what it also raises
_LONGEST_CAUSE = 300


@dataclass(frozen=True, eq=False)
class Model:
    """A model that keeps its contract, ready to score."""

    contract: Contract
    version: str
    path: str
    _session: onnxruntime.InferenceSession

    def score(self, steps: F64) -> F32:
        """The logits float32 [n] of windows' steps float64 [n, 24], in one call.

        A window that the model cannot compute has NaN, like one for which it computes no finite number.
        """
        inputs = steps.astype(np.float32).reshape(-1, 1, STEPS)
        if not len(inputs):
            return np.empty(0, np.float32)
        try:
            return _run(self._session, inputs)
        except Exception:  # ONNX Runtime's own have no closer class in common
            if len(inputs) == 1:
                return np.full(1, np.nan, np.float32)
            return np.concatenate([self.score(row[np.newaxis]) for row in steps])


def load(path: str, overrides: Mapping[str, str] | None = None) -> Model:
    """The model in the file at `path` (MODEL_PATH).

    `overrides` are what the settings in `OVERRIDES` say, by the contract's field ("time_zone"); an empty text says
    nothing. Raises `ContractError` whose sentence begins with the setting that is to be put right, and its value.
    """
    overrides = {field: text for field, text in (overrides or {}).items() if text}
    setting = f"MODEL_PATH={path}"
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise ContractError(setting, f"the file cannot be read ({cause}); an ONNX file is allowed") from None
    session = _session(data, setting)
    try:
        check_tensors(session.get_inputs(), session.get_outputs())
        metadata = session.get_modelmeta().custom_metadata_map
        contract = Contract.from_metadata(metadata, Path(path).stem, overrides)
        _probe(session)
    except ContractError as error:
        field = error.part.removeprefix("season.")
        if field in overrides:
            sentence = str(error).removeprefix(f"{error.part}: ")
            raise ContractError(f"{OVERRIDES[field]}={overrides[field]}", sentence) from None
        hint = f"; {OVERRIDES[field]} stands before what the file says" if field in OVERRIDES else ""
        raise ContractError(setting, f"{error}{hint}") from None
    return Model(contract, hashlib.sha256(data).hexdigest()[:12], path, session)


def probabilities(logits: F32) -> F64:
    """The probability of winter float64 [n]: the sigmoid of logits [n], in 64 bits and without overflow."""
    wide = logits.astype(np.float64)
    small = np.exp(-np.abs(wide))
    sigmoid: F64 = np.where(wide >= 0, 1.0, small) / (1.0 + small)
    return sigmoid


def labels(winter: F64, threshold: float) -> list[str]:
    """The label of each probability of winter [n]: winter from the threshold on."""
    reached: list[str] = np.where(winter >= threshold, WINTER, SUMMER).tolist()
    return reached


def _session(data: bytes, setting: str) -> onnxruntime.InferenceSession:
    """A session of one thread: more would look at the machine's cores, and fight with Kafka's client for them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # External data is not part of the contract: it is looked for where there is nothing.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", "/dev/null/none")
    options.log_severity_level = _FATAL
    onnxruntime.set_default_logger_severity(_FATAL)
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own have no closer class in common
        allowed = "one whole, self-contained ONNX file (no external data) is allowed"
        raise ContractError(setting, f"ONNX Runtime cannot load the file: {_cause(error)}; {allowed}") from None


def _probe(session: onnxruntime.InferenceSession) -> None:
    """Runs batches of one and two: what a file says of its shapes need not be what it does."""
    for batch in (1, 2):
        ramp = np.arange(batch * STEPS, dtype=np.float32).reshape(batch, 1, STEPS)
        try:
            (output,) = session.run(None, {session.get_inputs()[0].name: ramp})
        except Exception as error:  # as above
            raise ContractError("input", f"a batch of {batch} fails: {_cause(error)}") from None
        if output.shape != (batch, 1):
            raise ContractError(
                "output", f"a batch of {batch} gives the shape {list(output.shape)}, not [{batch}, 1]"
            )


def _run(session: onnxruntime.InferenceSession, inputs: NDArray[np.float32]) -> F32:
    (output,) = session.run(None, {session.get_inputs()[0].name: inputs})
    logits: F32 = output[:, 0]
    return logits


def _cause(error: Exception) -> str:
    """What ONNX Runtime says, without its codes, in one line that is not too long."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error))
    text = "".join(character if character.isprintable() else "?" for character in " ".join(text.split()))
    return text if len(text) <= _LONGEST_CAUSE else text[:_LONGEST_CAUSE] + "…"
