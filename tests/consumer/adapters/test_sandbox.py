"""A model that would harm the service is tried in a process of its own: it ends there, and a sentence says why."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import onnx
import pytest

from consumer.adapters import sandbox
from consumer.adapters.sandbox import check
from season.tensors import ContractError
from tests import made_models as made
from tests.processes import children, gone, processor_seconds


def refusal(model: onnx.ModelProto) -> str:
    """The sentence with which a model is refused; no process is left of it."""
    before = children(os.getpid())  # a broker of another test, say
    with pytest.raises(ContractError) as caught:
        check(model.SerializeToString())
    assert set(children(os.getpid())) <= set(before)
    return str(caught.value)


def until(true: Callable[[], object]) -> None:
    """Waits, for a time that is never needed."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_model_that_answers_passes() -> None:
    """Also one that needs no opset's newest version, and one that cannot compute each of the days that are tried."""
    check(made.network().SerializeToString())
    check(made.odd().SerializeToString())


@pytest.mark.parametrize(
    ("model", "step"),
    [
        (made.endless(), "a batch of 1 (ramps)"),
        (made.endless_branch("Equal", 0), "a batch of 512 (zeros)"),
        (made.endless_branch("Less", -1), "a batch of 512 (negative loads)"),
        (made.endless_branch("Greater", 1e20), "a batch of 512 (huge loads)"),
    ],
    ids=["always", "zeros", "negative", "huge"],
)
def test_a_model_that_comes_to_no_end_is_refused(model: onnx.ModelProto, step: str) -> None:
    """Whether it always does so, or with some days only."""
    assert refusal(model) == (
        f"tried in a process of its own: {step} comes to no end: a run took more than 2 s of processor time"
    )


@pytest.mark.parametrize("model", [made.endless_to_load(), made.laughs()], ids=["constants", "functions"])
def test_a_model_that_is_never_loaded_is_refused(model: onnx.ModelProto) -> None:
    """What can be worked out beforehand is worked out while a file is loaded; so are functions of functions."""
    # Which of the two bounds it meets first depends on the machine: what is worked out is also kept.
    assert refusal(model) in {
        "tried in a process of its own: loading it takes more than 5 s of processor time",
        "tried in a process of its own: loading it takes more than 512 MiB of memory",
    }


@pytest.mark.parametrize("model", [made.growing(), made.huge(), made.huge(10**9)], ids=["loop", "400 GB", "4 GB"])
def test_a_model_that_eats_memory_is_refused(model: onnx.ModelProto) -> None:
    """Whether it asks for it at once or bit by bit."""
    assert refusal(model) == ("tried in a process of its own: a batch of 1 (ramps) takes more than 512 MiB of memory")


def test_a_model_that_is_too_slow_is_refused() -> None:
    """One that comes to its end, but too late for the service to keep up."""
    found = refusal(made.slow(1_000_000))
    assert re.fullmatch(
        r"tried in a process of its own: a batch of 1 \(ramps\) takes [\d.]+ s of processor time; "
        r"the service keeps up with at most 0\.5 s",
        found,
    ), found


def test_what_breaks_the_contract_is_said_as_it_is() -> None:
    """The part at fault stands first."""
    assert refusal(made.network((1, 1, 24), (1, 1))).startswith("input: 'steps' has the shape [1, 1, 24], a batch of")


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (made.too_new(ir=99), "its IR version is 99, newer than "),
        (made.too_new(opset=99), "its opset of ai.onnx is 99, newer than "),
        (made.too_new(opset=99, domain="ai.onnx.ml"), "its opset of ai.onnx.ml is 99, newer than "),
    ],
    ids=["IR", "opset", "opset of a domain"],
)
def test_a_file_that_is_too_new_is_said_to_be(model: onnx.ModelProto, says: str) -> None:
    """With its own version and the newest that this ONNX Runtime takes, and not as a C++ signature."""
    found = refusal(model)
    assert re.match(r"ONNX Runtime [\d.]+ cannot load the file: " + re.escape(says) + r"\d+, the newest ", found), (
        found
    )
    assert "::" not in found


def killed(number: signal.Signals) -> str:
    """The sentence where the process ends by a signal while it tries a model."""
    code = (
        "import sys\n"
        "from consumer.adapters.sandbox import check\n"
        "try: check(sys.stdin.buffer.read())\n"
        "except ValueError as error: print(error)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=sandbox._ROOT
    ) as parent:
        assert parent.stdin is not None
        parent.stdin.write(made.endless_to_load().SerializeToString())
        parent.stdin.close()
        until(lambda: children(parent.pid))
        (child,) = children(parent.pid)
        until(lambda: processor_seconds(child) > 1)  # it has read the file and loads it
        os.kill(child, number)
        assert parent.stdout is not None
        return parent.stdout.read().decode().strip()


def test_a_model_that_ends_the_process_is_refused() -> None:
    """By a fault of its own, or because the system has too little memory."""
    assert killed(signal.SIGSEGV) == "tried in a process of its own: loading it ends the process (SIGSEGV)"
    assert killed(signal.SIGKILL) == (
        "tried in a process of its own: loading it ends the process (SIGKILL, mostly for want of memory)"
    )


def test_a_process_that_gets_no_processor_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own bounds count time on a processor: the parent's clock bounds the rest."""
    monkeypatch.setattr(sandbox, "WALL_S", 1.0)
    assert refusal(made.endless_to_load()) == "tried in a process of its own: loading it takes more than 1 s"


def test_the_process_ends_with_the_one_that_started_it() -> None:
    """Also where that is killed, which no program can prepare for."""
    code = "import sys; from consumer.adapters.sandbox import check; check(sys.stdin.buffer.read())"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, cwd=sandbox._ROOT) as parent:
        assert parent.stdin is not None
        parent.stdin.write(made.endless_to_load().SerializeToString())
        parent.stdin.close()
        until(lambda: children(parent.pid))
        (child,) = children(parent.pid)
        until(lambda: processor_seconds(child) > 1)
        os.kill(child, signal.SIGSTOP)  # or its bounds would end it
        parent.kill()
    try:
        until(lambda: gone(child))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
