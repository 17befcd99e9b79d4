"""The demo's child processes: how a failure is told, and that none outlives the demo."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from demo.programs import DemoError, Program, running

ENVIRON = dict(os.environ)


def waited(program: Program) -> bool:
    """Whether it ends within a minute; DemoError as `ended` raises it."""
    deadline = time.monotonic() + 60
    while not program.ended() and time.monotonic() < deadline:
        time.sleep(0.02)
    return program.ended()


def test_a_good_end_is_told(tmp_path: Path) -> None:
    """Its words are in the log, not on the terminal."""
    with running(["platform"], tmp_path / "log", ENVIRON) as program:
        assert waited(program)
    assert program.said()


def test_a_failure_is_told_with_its_last_words_and_its_log(tmp_path: Path) -> None:
    """Name, status, last line, and where more of it stands."""
    with (
        running(["timeit", "--nonsense"], tmp_path / "log", ENVIRON) as program,
        pytest.raises(DemoError) as caught,
    ):
        waited(program)
    first, second = str(caught.value).splitlines()
    assert first == "the timeit ended with status 2: use -h/--help for command line help"
    assert second == f"its log: {tmp_path / 'log'}"


def test_a_program_ends_with_its_block(tmp_path: Path) -> None:
    """However the block is left."""
    block = running(["http.server", "0", "--bind", "127.0.0.1"], tmp_path / "log", ENVIRON)
    with suppress(ZeroDivisionError), block as program:
        assert not program.ended()
        raise ZeroDivisionError
    assert not Path(f"/proc/{program.pid}").exists()
