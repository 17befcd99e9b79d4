"""`python -m consumer.adapters.sandboxed PARENT`: runs the model on standard input within bounds, for `sandbox`.

On standard output it writes each step before it begins it: if the process is killed, the last line says during what.
Status 0: the model answers in time. `REFUSED`: the last line says why not.
"""

import contextlib
import ctypes
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from consumer.adapters.inference import BATCH_WINDOWS, F32, EndlessError, Inference
from season.cause import cause
from season.steps import STEPS
from season.tensors import ContractError

PROCESSOR_S = 5
"""Seconds on a processor after which the system ends a step: loading, or a batch."""
MEMORY_MIB = 512
"""What the model may take besides Python and ONNX Runtime; loading a file takes three times its size."""
BATCH_S = 0.5
"""Seconds on a processor that a batch may take, 1 ms a window: a turn's 5,000 readings, should each of them correct a
window that was scored, then come to 5 s of the 10 s that a transaction has. Usual models take a thousandth of it."""

REFUSED = 3
TRIED = "tried in a process of its own"
"""The part that is at fault (see `ContractError`) where the model takes more than it may."""

_NO_MEMORY = ("bad_alloc", "bad allocation", "allocate memory")
_PR_SET_PDEATHSIG = 1


def main(parent: int) -> int:
    """Try the model, and say how it went."""
    _end_with(parent)
    _bound(resource.RLIMIT_CORE, 0)
    _bound_memory()
    data = sys.stdin.buffer.read()
    try:
        with _step("loading it"):
            inference = Inference(data)
        for kind, days in _kinds().items():
            simplest = kind == "ramps"
            for batch in (1, 2, BATCH_WINDOWS) if simplest else (BATCH_WINDOWS,):
                _run(inference, days[:batch], f"a batch of {batch} ({kind})", must_answer=simplest)
    except ContractError as error:
        _say(str(error))
        return REFUSED
    return 0


def _run(inference: Inference, days: F32, step: str, must_answer: bool) -> None:
    """Run a batch. What the model cannot compute is a dead letter later, if it answers the simplest days at all."""
    with _step(step):
        began = time.process_time()
        try:
            inference.logits(days)
        except (MemoryError, ContractError):
            raise
        except EndlessError as error:
            raise ContractError(TRIED, f"{step} comes to no end: {error}") from None
        except Exception as error:  # ONNX Runtime's own have no closer class in common
            if _lacks_memory(error):
                raise
            if must_answer:
                raise ContractError("input", f"a batch of {len(days)} fails: {cause(error)}") from None
        seconds = time.process_time() - began
        if seconds > BATCH_S:
            allowed = f"the service keeps up with at most {BATCH_S:g} s"
            raise ContractError(TRIED, f"{step} takes {seconds:.2g} s of processor time; {allowed}")


def _kinds() -> dict[str, F32]:
    """Return batches of days that reach what depends on values: a graph may branch, or repeat a loop, by them."""
    ramps = np.resize(np.arange(2.0 * STEPS), (BATCH_WINDOWS, 1, STEPS))  # each second day continues the one before
    loads = 30_000 + 10_000 * np.sin(ramps / 4) + np.random.default_rng(0).normal(0, 1000, ramps.shape)
    kinds = {
        "ramps": ramps,
        "zeros": np.zeros_like(ramps),
        "usual loads": loads,
        "negative loads": -loads,
        "loads of both signs": loads * np.where(ramps % 2, 1, -1),
        "tiny loads": loads * 1e-9,
        "huge loads": loads * 1e30,
    }
    several = np.resize(np.array([days[1] for days in kinds.values()]), ramps.shape)
    return {kind: days.astype(np.float32) for kind, days in (kinds | {"several kinds": several}).items()}


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    """Say what is done, give it its time on a processor, and name it where it takes too much memory."""
    _say(name)
    _bound(resource.RLIMIT_CPU, math.ceil(time.process_time()) + PROCESSOR_S)
    try:
        yield
    except Exception as error:
        if _lacks_memory(error):
            raise ContractError(TRIED, f"{name} takes more than {MEMORY_MIB} MiB of memory") from None
        raise


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(text in str(error) for text in _NO_MEMORY)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _end_with(parent: int) -> None:
    """Make this process end when its parent does, however that ends."""
    with contextlib.suppress(OSError, AttributeError):  # only Linux has it; elsewhere the bounds end the process
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent has ended")


def _bound_memory() -> None:
    """Limit the memory to `MEMORY_MIB` above what is mapped; let the system kill this process first."""
    with contextlib.suppress(OSError, ValueError):  # only Linux says how much is mapped
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        _bound(resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY_MIB * 2**20)
        Path("/proc/self/oom_score_adj").write_text("1000")


def _bound(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
