"""The ONNX model: reads, tries and loads a file, holds it to its contract, and scores; and what a logit means.

The file is read once: the bytes that are tried and run are those that the version (the first 12 hex digits of their
SHA-256) names.
"""

import hashlib
import os
import stat
import threading
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog

from consumer.adapters import sandbox
from consumer.adapters.inference import BATCH_WINDOWS, EndlessError, Inference
from season.contract import Contract, ContractError
from season.labels import SUMMER, WINTER
from season.messages import F32
from season.steps import F64, STEPS

# The settings that override the file, by the contract's field.
OVERRIDES = {"threshold": "MODEL_THRESHOLD", "time_zone": "WINDOW_TIME_ZONE", "day_start": "WINDOW_DAY_START"}

MAX_FILE_MIB = 128
"""The largest file: loading one takes three times its size."""

log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Model:
    """A model that keeps its contract, ready to score."""

    contract: Contract
    version: str
    path: str
    _inference: Inference

    def score(self, steps: F64) -> F32:
        """Return the logits float32 [n] of windows' steps float64 [n, 24].

        The logit is NaN for a window that the model cannot compute, or not in time; a computed one may be infinite.
        """
        inputs = steps.astype(np.float32).reshape(-1, 1, STEPS)
        batches = [
            self._logits(inputs[start : start + BATCH_WINDOWS]) for start in range(0, len(inputs), BATCH_WINDOWS)
        ]
        return np.concatenate([np.empty(0, np.float32), *batches])

    def _logits(self, inputs: F32) -> F32:
        try:
            return self._inference.logits(inputs)
        except Exception as error:  # ONNX Runtime's own have no closer class in common
            if isinstance(error, EndlessError):
                log.error("the model does not come to an end with windows", windows=len(inputs), error=str(error))
            if len(inputs) == 1:
                return np.full(1, np.nan, np.float32)
            return np.concatenate([self._logits(row[np.newaxis]) for row in inputs])


class Attempt:
    """Reads and tries a model file on a thread of its own, so that the loop need not wait."""

    def __init__(self, path: str, overrides: Mapping[str, str]) -> None:
        self._path, self._overrides = path, overrides
        self._data: Future[bytes] = Future()
        threading.Thread(target=self._try, daemon=True, name="model").start()

    def ended(self, seconds: float = 0) -> bool:
        """Return whether it is over, after waiting for at most so long."""
        return bool(wait([self._data], seconds).done)

    def model(self) -> Model:
        """Return the model that was tried. Raises `ContractError` as `load` does."""
        return _opened(self._data.result(), self._path, self._overrides)

    def _try(self) -> None:
        try:
            self._data.set_result(_tried(self._path))
        except BaseException as error:
            self._data.set_exception(error)


def load(path: str, overrides: Mapping[str, str] | None = None) -> Model:
    """Return the model in the file at `path` (MODEL_PATH), once it was tried in a process of its own.

    `overrides` are the values of the settings in `OVERRIDES`, by the contract's field ("time_zone"); an empty text
    counts as not set. Raises `ContractError`, whose sentence begins with the setting that must be corrected.
    """
    return Attempt(path, overrides or {}).model()


def _tried(path: str) -> bytes:
    """Return the bytes of a file, after a trial of its model. Raises ContractError."""
    setting = f"MODEL_PATH={path}"
    try:
        data = _read(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ContractError(setting, f"the file cannot be read ({reason}); an ONNX file is allowed") from None
    try:
        sandbox.check(data)
    except ContractError as error:
        raise ContractError(setting, str(error)) from None
    return data


def _read(path: str) -> bytes:
    """Return a regular file's bytes. A pipe or a device, which may never end or wait for a writer, is refused."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("it is no regular file")
        data = file.read(MAX_FILE_MIB * 2**20 + 1)
    if len(data) > MAX_FILE_MIB * 2**20:
        raise ValueError(f"it is larger than {MAX_FILE_MIB} MiB")
    return data


def _opened(data: bytes, path: str, overrides: Mapping[str, str]) -> Model:
    """Return the model in bytes that were tried, loaded in this process. Raises ContractError."""
    overrides = {field: text for field, text in overrides.items() if text}
    setting = f"MODEL_PATH={path}"
    try:
        inference = Inference(data)
        contract = Contract.from_metadata(inference.metadata, Path(path).stem, overrides)
    except ContractError as error:
        field = error.part.removeprefix("season.")
        if field in overrides:
            sentence = str(error).removeprefix(f"{error.part}: ")
            raise ContractError(f"{OVERRIDES[field]}={overrides[field]}", sentence) from None
        hint = f"; {OVERRIDES[field]} stands before what the file says" if field in OVERRIDES else ""
        raise ContractError(setting, f"{error}{hint}") from None
    return Model(contract, hashlib.sha256(data).hexdigest()[:12], path, inference)


def probabilities(logits: F32) -> F64:
    """Return the probability of winter float64 [n]: the sigmoid of logits [n], in 64 bits and without overflow."""
    wide = logits.astype(np.float64)
    small = np.exp(-np.abs(wide))  # of a negative number, so that it never overflows
    sigmoid: F64 = np.where(wide >= 0, 1.0, small) / (1.0 + small)
    return sigmoid


def labels(winter: F64, threshold: float) -> list[str]:
    """Return the label of each probability of winter [n]: winter from the threshold on."""
    reached: list[str] = np.where(winter >= threshold, WINTER, SUMMER).tolist()
    return reached
