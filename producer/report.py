"""Shows a run to a person: progress on a terminal, a line now and then in a pipe, and a summary."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from season import instants
from season.files import RowTally

_REFRESH_INTERVAL_S = 0.1
_LINE_INTERVAL_S = 10.0


@dataclass
class RowCounts:
    """How many rows were sent, skipped or bad so far, besides the files' own tally; instants are epoch seconds."""

    tally: RowTally = field(default_factory=RowTally)
    sent: int = 0
    skipped: int = 0
    bad: int = 0
    zones: set[str] = field(default_factory=set)
    first: int | None = None
    last: int | None = None

    def count(self, zone: str, instant: int) -> None:
        """Count a reading as sent."""
        self.sent += 1
        self.zones.add(zone)
        self.first = instant if self.first is None or instant < self.first else self.first
        self.last = instant if self.last is None or instant > self.last else self.last


def summary(counts: RowCounts, undelivered: int, seconds: float) -> str:
    """Return the summary of a run: a sentence on what was delivered, and one on the rows it came from."""
    delivered = counts.sent - undelivered
    text = f"delivered {delivered:,} reading{'s' * (delivered != 1)}"
    if counts.first is not None and counts.last is not None:
        zones = f"{len(counts.zones):,} zone{'s' * (len(counts.zones) != 1)}"
        text += f" of {zones}, {instants.format(counts.first)} to {instants.format(counts.last)}"
    text += f", in {seconds:,.1f} s ({delivered / max(seconds, 1e-9):,.0f} readings/s)"
    parts = [f"{counts.tally.rows:,} rows read", f"{counts.bad:,} bad"]
    parts += [f"{counts.tally.outside:,} outside the time span"] if counts.tally.outside else []
    parts += [f"{counts.skipped:,} readings skipped"] if counts.skipped else []
    parts += [f"{undelivered:,} readings NOT delivered"] if undelivered else []
    return f"{text}\n{', '.join(parts)}"


def printable(text: str) -> str:
    """Return a text for a terminal: control characters and lone surrogates escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class Display:
    """Shows progress on standard error while it is open; `say` prints a line above it."""

    def __init__(self, files: list[str], counts: RowCounts) -> None:
        self._counts = counts
        self._console = Console(stderr=True, highlight=False, markup=False)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
            console=self._console, transient=True,
        ) if self._console.is_terminal else None  # fmt: skip
        self._task = self._progress.add_task("reading", total=_size(files)) if self._progress else None
        self._next = time.monotonic() + (_REFRESH_INTERVAL_S if self._progress else _LINE_INTERVAL_S)

    def __enter__(self) -> "Display":
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress:
            self._progress.stop()

    def say(self, text: str) -> None:
        """Print a line of its own, its control characters escaped."""
        line = printable(text)
        if self._progress:
            self._console.print(line, soft_wrap=True)
        else:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    def update(self, instant: int) -> None:
        """Update the display if it is time to; `instant` is that of the latest reading."""
        now = time.monotonic()
        if now < self._next:
            return
        text = f"{self._counts.sent:,} readings, at {instants.format(instant)}"
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=self._counts.tally.bytes, description=text)
            self._next = now + _REFRESH_INTERVAL_S
        else:
            self.say(text)
            self._next = now + _LINE_INTERVAL_S


def _size(files: list[str]) -> int | None:
    """Return the bytes of all files, or None where that cannot be known beforehand."""
    if not all(Path(file).is_file() for file in files):
        return None
    return sum(Path(file).stat().st_size for file in files)
