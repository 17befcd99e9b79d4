"""Decides how fast readings are sent: as fast as possible, or so many hours of data per second."""

import math
from collections.abc import Iterator
from heapq import merge

from season.files import BadRow, FileReading
from season.settings import SettingError


class Pace:
    """Says when a reading is due, by its timestamp: all zones follow one clock, which starts at the first reading.

    A reading that is earlier than one before it is due at once.
    """

    def __init__(self, hours_per_second: float) -> None:
        self._speed = hours_per_second * 3600
        self._origin: tuple[int, float] | None = None

    def wait(self, instant: int, now: float) -> float:
        """Return the seconds until the reading of `instant` is due, at the wall time `now`; 0 once it is due."""
        if self._origin is None:
            self._origin = instant, now
        first, began = self._origin
        return max(0.0, began + (instant - first) / self._speed - now)


def speed(text: str) -> Pace | None:
    """Return the pace that `--speed` asks for; None is as fast as possible. Raises SettingError."""
    if text == "max":
        return None
    try:
        hours_per_second = float(text)
    except ValueError:
        hours_per_second = 0.0
    if not (hours_per_second > 0 and math.isfinite(hours_per_second)):
        raise SettingError(f"--speed {text!r}: max, or a number of hours of data per second above 0, is allowed")
    return Pace(hours_per_second)


def by_time(files: list[Iterator[FileReading | BadRow]]) -> Iterator[FileReading | BadRow]:
    """Yield several files' readings as one stream in the order of time, as their zones would send them."""
    return merge(*files, key=lambda item: item.instant if isinstance(item, FileReading) else -1)
