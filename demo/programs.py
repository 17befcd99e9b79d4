"""The programs that the demo starts: each in a process of its own, with a log, ended with the demo."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from kafka_local.leash import leashed

ROOT = Path(__file__).resolve().parent.parent
_STOP_TIMEOUT_S = 12.0
"""Seconds: the consumer and the producer promise to end within ten."""


class DemoError(Exception):
    """The demo cannot go on; `str()` is the sentence. Status 1."""


class Program:
    """A running `python -m NAME …`."""

    def __init__(self, arguments: Sequence[str], log: Path, environ: Mapping[str, str]) -> None:
        self.name = arguments[0]
        self.log = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                leashed([sys.executable, "-m", *arguments]),
                cwd=ROOT,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                # Only the demo handles Ctrl-C, and ends its programs in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    def ended(self) -> bool:
        """Return whether it has ended by itself with status 0. Raises DemoError where it ended otherwise."""
        status = self._process.poll()
        if status:
            raise DemoError(f"the {self.name} ended with status {status}: {self._last_line()}\nits log: {self.log}")
        return status is not None

    def stop(self) -> None:
        """End it as an operator would (SIGTERM), with kill -9 where that takes too long."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except BaseException as error:  # a signal to the demo, too: nothing is left running
            self._process.kill()
            self._process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise

    def said(self) -> list[str]:
        """Return the lines of its log that say something."""
        return [line for line in self.log.read_text("utf-8", "replace").splitlines() if line.strip()]

    def _last_line(self) -> str:
        return (self.said() or ["it said nothing"])[-1].strip()


@contextmanager
def running(arguments: Sequence[str], log: Path, environ: Mapping[str, str]) -> Iterator[Program]:
    """Start a program, and end it with the block."""
    program = Program(arguments, log, environ)
    try:
        yield program
    finally:
        program.stop()
