"""The running model, and the taking up of a new file in its place between two transactions."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from consumer.adapters.model import Model
from season.calendar import Calendar
from season.contract import ContractError

log = structlog.get_logger()


class Models:
    """The model in force. A new file that breaks the contract, or has another calendar, is refused."""

    def __init__(self, load: Callable[[], Model], path: Path, interval: float, asked: threading.Event) -> None:
        self.current = load()
        contract = self.current.contract
        self.calendar = Calendar(contract.time_zone, contract.day_start)
        self._load = load
        self._path = path
        self._interval = interval
        self._looked = time.monotonic()
        self._seen = self._stamp()
        self._asked = asked  # by another thread, to look at the next occasion

    def look(self) -> None:
        """Takes a new file up, when it is time to look and there is one."""
        now = time.monotonic()
        asked = self._asked.is_set()
        if not asked and now - self._looked < self._interval:
            return
        self._asked.clear()
        self._looked = now
        stamp = self._stamp()
        if stamp == self._seen and not asked:
            return
        self._seen = stamp
        try:
            model = self._load()
        except ContractError as error:
            log.error("the new model file is refused, the running model stays", error=str(error))
            return
        self._take(model)

    def _take(self, model: Model) -> None:
        new, calendar = model.contract, self.calendar
        if (new.time_zone, new.day_start) != (calendar.time_zone, calendar.day_start):
            log.error(
                "the new model file is refused, the running model stays: it would change the windows",
                time_zone=new.time_zone,
                day_start=new.day_start,
                in_force=f"{calendar.time_zone}, {calendar.day_start}",
            )
        elif model.version != self.current.version:
            log.info("a new model is taken up", model=new.name, version=model.version, before=self.current.version)
            self.current = model

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
