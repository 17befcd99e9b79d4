"""How programs end: statuses and sentences."""

import os
import subprocess
import sys

import pytest

from season.cli import StoppedError, run
from season.settings import RefusedError, SettingError


def raising(error: BaseException) -> int:
    """Run a program that raises this at once."""

    def main() -> int:
        raise error

    return run(main)


def test_a_wrong_setting_ends_with_status_2_and_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """SettingError: the sentence alone on standard error, nothing on standard output."""
    assert raising(SettingError("HTTP_PORT=x: a port is allowed")) == 2
    assert capsys.readouterr() == ("", "HTTP_PORT=x: a port is allowed\n")


def test_a_refusal_ends_with_status_1_and_its_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """RefusedError: status 1."""
    assert raising(RefusedError("no")) == 1
    assert capsys.readouterr().err == "no\n"


@pytest.mark.parametrize(("error", "status"), [(StoppedError(), 0), (KeyboardInterrupt(), 130)])
def test_a_stop_is_silent(error: BaseException, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked to stop, a program says nothing more."""
    assert raising(error) == status
    assert capsys.readouterr() == ("", "")


def test_the_status_of_main_is_kept() -> None:
    """None counts as 0."""
    assert run(lambda: None) == 0
    assert run(lambda: 3) == 3


def test_a_bug_is_not_hidden() -> None:
    """What no user can set right keeps its traceback."""
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())


def test_a_reader_that_goes_away_ends_the_program_in_silence() -> None:
    """`program | head -1`: status 141 and nothing on standard error, at the interpreter's end neither."""
    program = "import sys; from season.cli import run; sys.exit(run(lambda: print('a line')))"
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=pipe, stderr=subprocess.PIPE, env=buffered, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")
