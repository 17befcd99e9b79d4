"""Nanoseconds a reading of the core (step and apply), beside the naive reference of the tests.

One run is whole days of every zone's hours, in batches; both get the same readings, one run after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from consumer.core.step import step

from benchmarks.side import side_by_side
from benchmarks.tables import Row, table
from consumer.core.outcome import Readings, Rules
from consumer.core.state import State
from season.calendar import Calendar
from tests.reference import Reference

RULES = Rules(grace_period=86400, max_filled=2, max_future=3600.0)
MIDNIGHT = 1622498400  # 2021-06-01 in Rome
NOW = 2e9
KINDS = ((20, 5, 100), (20, 5, 5000), (2000, 1, 100), (2000, 1, 5000))  # zones, days a run, batch
RUNS = 3


@dataclass
class Days:
    """Runs of readings, each going on where the last one ended: all zones' first hour, then their second."""

    zones: int
    days: int
    batch: int
    begun: int = 0

    @property
    def readings(self) -> int:
        """How many a run has."""
        return self.zones * self.days * 24

    def run(self) -> Iterator[Readings]:
        """The batches of the next run."""
        names = [f"zone-{i:04d}" for i in range(self.zones)]
        place = np.arange(self.readings)
        hours = MIDNIGHT + 3600 * (place // self.zones + self.begun * self.days * 24)
        demands = 20000.0 + 900.5 * np.abs(12 - place // self.zones % 24) + 7 * (place % self.zones)
        self.begun += 1
        for start in range(0, self.readings, self.batch):
            rows = place[start : start + self.batch]
            yield Readings([names[row % self.zones] for row in rows], hours[rows], demands[rows])


def main() -> None:
    """Prints the table."""
    title = "The core, step and apply: ns a reading"
    table(title, ["columns", "reading by reading"], [_row(Days(*kind)) for kind in KINDS])


def _row(days: Days) -> Row:
    calendar = Calendar("Europe/Rome")
    state, reference = State(calendar), Reference(calendar, RULES)
    scored = [0, 0]
    batches: list[Readings] = []

    def columns() -> None:
        for readings in batches:
            outcome, changes = step(state, readings, NOW, RULES)
            state.apply(changes)
            scored[0] += len(outcome.scorings.steps)

    def one_by_one() -> None:
        for readings in batches:
            columns = zip(readings.zones, readings.instants.tolist(), readings.demands.tolist(), strict=True)
            for zone, instant, demand in columns:
                scored[1] += any(kind == "scored" for kind, *_ in reference.read(zone, instant, demand, NOW))

    def following() -> None:
        batches[:] = days.run()

    name = f"{days.zones:,} zones, batches of {days.batch:,}"
    row = side_by_side(name, columns, one_by_one, days.readings, RUNS, 1e9, following)
    if scored[0] != scored[1]:
        raise RuntimeError(f"they did not do the same: {scored[0]} windows scored, {scored[1]} by the reference")
    return row
