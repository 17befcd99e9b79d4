"""ONNX Runtime as the service uses it: one thread, no external data, no output of its own, no endless run."""

import threading
import time
import weakref
from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from season.cause import cause
from season.tensors import ContractError, check_tensors

F32 = NDArray[np.float32]

BATCH_WINDOWS = 512
"""The largest number of windows in one run, as it was tried; a transaction may complete more."""
RUN_S = 2.0
"""Seconds on a processor after which a run is ended: an endless one would stop the service."""

_POLL_S = 0.25
_LOG_LEVEL_FATAL = 4  # at this level ONNX Runtime does not log errors that it also raises


class EndlessError(Exception):
    """A run was ended because it took too long."""


@dataclass(eq=False)
class _Run:
    options: onnxruntime.RunOptions
    began: float
    ended: bool = False


class Inference:
    """A model, loaded and with the tensors of the contract. Runs on one thread at a time."""

    def __init__(self, data: bytes) -> None:
        """Load the ONNX file in `data`. Raises `ContractError`."""
        self._session = _open(data)
        self._run: _Run | None = None
        try:
            inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
            self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
            # ONNX Runtime decodes each of these texts on access: an error of UTF-8 comes here.
            names = [(tensor.name, tensor.type, tensor.shape) for tensor in (*inputs, *outputs)]
        except UnicodeDecodeError as error:
            raise ContractError("a name or text in the file", f"it is not UTF-8 ({error.reason})") from None
        check_tensors(inputs, outputs)
        self._input = names[0][0]
        threading.Thread(target=_watch, args=(weakref.ref(self),), daemon=True, name="runs").start()

    def logits(self, inputs: F32) -> F32:
        """Return the logits [n] of inputs [n, 1, 24].

        Raises `ContractError` for an output of another shape, `EndlessError`, and whatever ONNX Runtime raises.
        """
        self._run = run = _Run(onnxruntime.RunOptions(), time.process_time())
        try:
            (output,) = self._session.run(None, {self._input: inputs}, run.options)
        except Exception as error:
            if run.ended:
                raise EndlessError(f"a run took more than {RUN_S:g} s of processor time") from None
            raise error from None
        finally:
            self._run = None
        if output.shape != (len(inputs), 1):
            shape = list(output.shape)
            raise ContractError("output", f"a batch of {len(inputs)} gives the shape {shape}, not [{len(inputs)}, 1]")
        flat: F32 = output[:, 0]
        return flat

    def end_what_takes_too_long(self) -> None:
        """End the run that is under way if it has taken too long; called by another thread, from time to time."""
        run = self._run
        if run is not None and time.process_time() - run.began > RUN_S:
            run.ended = run.options.terminate = True  # ONNX Runtime looks at it between any two nodes, in loops too


def _watch(inference: "weakref.ref[Inference]") -> None:
    while (running := inference()) is not None:
        running.end_what_takes_too_long()
        del running  # or it would live on for as long as this thread sleeps
        time.sleep(_POLL_S)


def _open(data: bytes) -> onnxruntime.InferenceSession:
    """Return a session of one thread: more would compete for the cores with Kafka's client."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # External data is not part of the contract: ONNX Runtime searches it in a folder that does not exist.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", "/dev/null/none")
    options.log_severity_level = _LOG_LEVEL_FATAL
    onnxruntime.set_default_logger_severity(_LOG_LEVEL_FATAL)
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own have no closer class in common
        raise ContractError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load the file",
            f"{cause(error)}; one whole, self-contained ONNX file (no external data) is allowed",
        ) from None
