"""Turns rows of steps shorter than an hour into hours: the mean of all steps of an hour, or a bad row.

An hour may be gathered in any order within a day of its zone's rows; then, or at the end of the file, one
that still lacks a step is a bad row.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from season import instants
from season.calendar import DAY, HOUR
from season.files.records import BadRow, FileReading


@dataclass
class _Hour:
    line: int
    demands: dict[int, float] = field(default_factory=dict)


class Hours:
    """The hours that are being gathered: at most a day of each zone's; `file` and `step` (seconds) are fixed."""

    def __init__(self, file: str, step: int) -> None:
        self._file = file
        self._step = step
        self._gathering: dict[str, dict[int, _Hour]] = {}

    def add(self, line: int, zone: str, instant: int, hour: int, demand: float) -> Iterator[FileReading | BadRow]:
        """Add the step that starts at `instant`, in the hour that starts at `hour`; yield what is complete then."""
        hours = self._gathering.setdefault(zone, {})
        gathered = hours.setdefault(hour, _Hour(line))
        if instant in gathered.demands:
            yield BadRow(self._file, line, f"the step {instants.format(instant)} of {zone!r} comes twice")
            return
        gathered.demands[instant] = demand
        if len(gathered.demands) == HOUR // self._step:
            del hours[hour]
            yield FileReading(zone, hour, math.fsum(gathered.demands.values()) / len(gathered.demands))
        if len(hours) > 1:
            for past in [past for past in hours if abs(past - hour) > DAY]:
                yield self._lacking(zone, past, hours.pop(past))

    def end(self) -> Iterator[BadRow]:
        """Yield what is left at the end of the file: hours that lack a step, in the order of their first rows."""
        left = [
            (gathered.line, zone, hour, gathered)
            for zone, hours in self._gathering.items()
            for hour, gathered in hours.items()
        ]
        for _, zone, hour, gathered in sorted(left, key=lambda item: item[0]):
            yield self._lacking(zone, hour, gathered)

    def _lacking(self, zone: str, hour: int, gathered: _Hour) -> BadRow:
        missing = [step for step in range(hour, hour + HOUR, self._step) if step not in gathered.demands]
        named = ", ".join(instants.format(step) for step in missing[:4]) + (", …" if len(missing) > 4 else "")
        sentence = f"the hour {instants.format(hour)} of {zone!r} lacks {len(missing)} of {HOUR // self._step} steps"
        return BadRow(self._file, gathered.line, f"{sentence} ({named})")
