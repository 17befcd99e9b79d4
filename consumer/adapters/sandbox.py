"""Tries a model in a process of its own before it runs in the service: it may hang, crash or exhaust memory.

That process runs `sandboxed`, which sets the bounds.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from consumer.adapters import sandboxed
from consumer.adapters.sandboxed import TRIED
from season.tensors import ContractError

WALL_S = 60.0
"""Seconds after which the process is killed; its own bounds count only its time on a processor."""

_ROOT = Path(__file__).parents[2]


def check(data: bytes) -> None:
    """Run the ONNX file in `data` in a process of its own, and wait for its end.

    Raises `ContractError` where the model breaks its tensors' contract, or its bounds of time or memory.
    """
    # Signals of a terminal go to the service alone; the process ends with it, however that ends.
    command = [sys.executable, "-m", sandboxed.__name__, str(os.getpid())]
    environ = {
        **os.environ,
        "ORT_DISABLE_TELEMETRY": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }  # each thread would take memory
    try:
        done = subprocess.run(
            command,
            input=data,
            capture_output=True,
            timeout=WALL_S,
            cwd=_ROOT,
            env=environ,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise ContractError(TRIED, f"{_last(expired.output)} takes more than {WALL_S:g} s") from None
    except OSError as error:
        raise ContractError(TRIED, f"no process can be started ({error.strerror})") from None
    if done.returncode:
        raise _refusal(done)


def _refusal(done: "subprocess.CompletedProcess[bytes]") -> ContractError:
    """Return the error of a process that did not end well."""
    last = _last(done.stdout)
    if done.returncode == sandboxed.REFUSED:
        return ContractError(*last.split(": ", 1))
    if done.returncode == -signal.SIGXCPU:
        return ContractError(TRIED, f"{last} takes more than {sandboxed.PROCESSOR_S} s of processor time")
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        why = ", mostly for want of memory" if name == "SIGKILL" else ""
        return ContractError(TRIED, f"{last} ends the process ({name}{why})")
    return ContractError(TRIED, f"it ends with status {done.returncode} ({_last(done.stderr)})")


def _last(output: bytes | None) -> str:
    """Return the last line of what a process wrote."""
    lines = (output or b"").decode(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line), "starting it")
