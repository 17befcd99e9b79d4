"""Nanoseconds a reading of the core, commits included, beside the naive reference of the tests.

One run is whole days of every zone's hours, in batches; both get the same readings, one run after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.columns import columns
from benchmarks.side import side_by_side
from benchmarks.tables import TableRow, table
from consumer.core.outcome import Readings, Rules
from consumer.core.state import State
from season.calendar import I64, Calendar
from season.steps import F64
from tests.reference import Reference

RULES = Rules(grace_period=86400, max_filled=2, max_future=3600.0)
MIDNIGHT = 1622498400  # 2021-06-01 in Rome
NOW = 2e9
Batch = tuple[list[str], I64, F64]  # names, instants, demands
KINDS = ((20, 5, 100), (20, 5, 5000), (2000, 1, 100), (2000, 1, 5000))  # zones, days a run, batch
RUNS = 3


@dataclass
class DayBatches:
    """Runs of readings, each going on where the last one ended: all zones' first hour, then their second."""

    zones: int
    days: int
    batch: int
    begun: int = 0

    @property
    def readings(self) -> int:
        """Return how many readings a run has."""
        return self.zones * self.days * 24

    def run(self) -> Iterator[Batch]:
        """Return the batches of the next run."""
        names = [f"zone-{i:04d}" for i in range(self.zones)]
        at = np.arange(self.readings)
        hours = MIDNIGHT + 3600 * (at // self.zones + self.begun * self.days * 24)
        demands = 20000.0 + 900.5 * np.abs(12 - at // self.zones % 24) + 7 * (at % self.zones)
        self.begun += 1
        for start in range(0, self.readings, self.batch):
            rows = at[start : start + self.batch]
            yield [names[row % self.zones] for row in rows], hours[rows], demands[rows]


def main() -> None:
    """Print the table."""
    title = "The core: ns a reading"
    table(title, ["columns", "reading by reading"], [_row(DayBatches(*kind)) for kind in KINDS])


def _row(days: DayBatches) -> TableRow:
    calendar = Calendar("Europe/Rome")
    state, reference = State(calendar), Reference(calendar, RULES)
    scored = [0, 0]
    batches: list[Batch] = []
    ready: list[Readings] = []

    def in_columns() -> None:
        for readings in ready:
            scored[0] += len(state.read(readings, NOW, RULES).scorings.steps)
            state.changes()
            state.commit()

    def one_by_one() -> None:
        for names, instants, demands in batches:
            for zone, instant, demand in zip(names, instants.tolist(), demands.tolist(), strict=True):
                scored[1] += any(kind == "scored" for kind, *_ in reference.read(zone, instant, demand, NOW))

    def next_run() -> None:
        batches[:] = days.run()
        ready[:] = [columns(*batch, calendar) for batch in batches]

    name = f"{days.zones:,} zones, batches of {days.batch:,}"
    row = side_by_side(name, in_columns, one_by_one, days.readings, RUNS, 1e9, next_run)
    if scored[0] != scored[1]:
        raise RuntimeError(f"they did not do the same: {scored[0]} windows scored, {scored[1]} by the reference")
    return row
