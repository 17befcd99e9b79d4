"""Holds the running model, and replaces it by that of a new file between two transactions.

A new file is tried first (`Attempt`) in another process, while readings flow; `poll` asks whether that is over.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from consumer.adapters.metrics import Metrics
from consumer.adapters.model import Attempt, Model
from season.calendar import Calendar
from season.cli import StoppedError
from season.contract import ContractError

log = structlog.get_logger()

_REFUSED = "the new model file is refused, the running model stays"
_WAIT_S = 0.1  # between two checks of `stopped`


class Models:
    """The model in force. A new file that fails its trial, breaks the contract or has another calendar is refused."""

    def __init__(
        self,
        attempt: Callable[[], Attempt],
        path: Path,
        interval: float,
        asked: threading.Event,
        stopped: threading.Event,
        metrics: Metrics,
    ) -> None:
        """Wait for the first attempt. Raises `ContractError`, and `StoppedError` once `stopped` is set.

        Another thread sets `asked` to have the file tried at once; `interval` is in seconds.
        """
        self._begin = attempt
        self._path = path
        self._interval = interval
        self._asked = asked
        self._metrics = metrics
        self._seen = self._stamp()
        self._polled = 0.0
        self._attempt: Attempt | None = None  # under way
        first = attempt()
        while not first.ended(_WAIT_S):
            if stopped.is_set():
                raise StoppedError
        self.current = first.model()
        contract = self.current.contract
        self.calendar = Calendar(contract.time_zone, contract.day_start)
        metrics.model(contract.name, self.current.version)

    def poll(self, now: float) -> None:
        """Start the trial of a new file if it is time, or use a model that was tried. Never waits."""
        if self._attempt is None:
            self._try(now)
        elif self._attempt.ended():
            attempt, self._attempt = self._attempt, None
            self._conclude(attempt)

    def _try(self, now: float) -> None:
        asked = self._asked.is_set()
        if not asked and now - self._polled < self._interval:
            return
        self._asked.clear()
        self._polled = now
        stamp = self._stamp()
        if stamp != self._seen or asked:
            self._seen = stamp
            self._attempt = self._begin()

    def _conclude(self, attempt: Attempt) -> None:
        try:
            model = attempt.model()
        except ContractError as error:
            self._metrics.reloaded("refused")
            log.error(_REFUSED, error=str(error))
            return
        if self._stamp() != self._seen:
            log.warning("the model file has changed while it was tried: the running model stays until the next try")
            return
        self._switch(model)

    def _switch(self, model: Model) -> None:
        new, calendar = model.contract, self.calendar
        if (new.time_zone, new.day_start) != (calendar.time_zone, calendar.day_start):
            self._metrics.reloaded("refused")
            log.error(
                f"{_REFUSED}: it would change the windows",
                time_zone=new.time_zone,
                day_start=new.day_start,
                in_force=f"{calendar.time_zone}, {calendar.day_start}",
            )
        elif model.version != self.current.version:
            log.info("a new model is taken up", model=new.name, version=model.version, before=self.current.version)
            self.current = model
            self._metrics.model(new.name, model.version)
            self._metrics.reloaded("taken")

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except (OSError, ValueError):
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
