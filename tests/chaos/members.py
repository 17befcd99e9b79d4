"""The members of the group: processes with stable ids, what is armed in them, and how each of them ended."""

import itertools
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from tests.chaos.faults import Armed, arm
from tests.chaos.member import FAULTS
from tests.integration.world import ServiceProcess


class DeadError(Exception):
    """A member ended though nothing had been done to it."""


class Member:
    """One member, started again and again under one INSTANCE_ID. Not for use by several threads."""

    def __init__(self, name: str, environ: Mapping[str, str], folder: Path) -> None:
        self.name, self._folder = name, folder
        self._path = folder / name
        self._environ = dict(environ) | {"INSTANCE_ID": name, FAULTS: str(self._path)}
        self._starts = itertools.count(1)
        self._service: ServiceProcess | None = None
        self.starts = 0

    def start(self) -> None:
        """A new process; the one before has ended."""
        self.starts = next(self._starts)
        log = self._folder / f"{self.name}.{self.starts}.log"
        self._service = ServiceProcess(self._environ, log, "tests.chaos.member")

    def arm(self, *armed: Armed) -> None:
        """What is to happen in the process, one after the other, instead of what was armed before."""
        arm(self._path.with_suffix(".armed"), *armed)

    def fired(self) -> list[Armed]:
        """All that has fired in its processes so far."""
        path = self._path.with_suffix(".fired")
        return [Armed.parse(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def signal(self, number: int) -> None:
        """Sends a signal to the process."""
        self.service.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, which ends a process that stands still too."""
        self.service.kill()

    def stop(self) -> None:
        """SIGTERM. DeadError where it does not end with status 0, given more time than the promise has."""
        self._heard()
        self.signal(signal.SIGTERM)
        self._expect(self.service.process.wait(60))

    def alive(self) -> bool:
        """Whether the process runs, or else was killed. DeadError where it has ended by itself."""
        status = self.service.process.poll()
        if status not in {None, -signal.SIGKILL}:
            raise DeadError(f"{self.name} ended by itself with status {status}: {self._last()}")
        return status is None

    def left(self) -> bool:
        """True once a process that was told to end has done so, or was killed meanwhile. DeadError as in `stop`."""
        status = self.service.process.wait(60)
        if status != -signal.SIGKILL:
            self._expect(status)
        return True

    @property
    def service(self) -> ServiceProcess:
        """The process that was started last."""
        assert self._service is not None, "it was never started"
        return self._service

    def _heard(self) -> None:
        """Waits until the process listens for signals: it has written a line, or has ended."""
        while not self.service.log.stat().st_size and self.service.process.poll() is None:
            time.sleep(0.05)

    def _expect(self, status: int) -> None:
        if status != 0:
            raise DeadError(f"{self.name} was told to end, and did so with status {status}: {self._last()}")

    def _last(self) -> str:
        lines = self.service.log.read_text("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        return f"{lines[-1][:500]}; see {self.service.log}"


def said(folder: Path, sentence: str) -> int:
    """How often the members' logs say something."""
    return sum(log.read_text("utf-8", "replace").count(sentence) for log in folder.glob("*.log"))
