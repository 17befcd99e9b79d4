"""Files of readings made for a test: years of days whose season shows in their evening."""

from pathlib import Path

import numpy as np

from season import instants
from season.calendar import DAY, HOUR, Calendar
from season.labels import WINTER, calendar_label

ROME = Calendar("Europe/Rome")
FIRST = instants.parse("2000-12-31T23:00:00Z")


def rows(first: int, days: int) -> list[str]:
    """The hours of `days` days from an instant on, as CSV rows of timestamp and demand in MW."""
    at = np.arange(first, first + days * DAY, HOUR)
    clock = (at + ROME.offsets(at)) // HOUR % 24
    months = ROME.months(ROME.days(at))
    evening = np.array([19 if calendar_label(int(month)) == WINTER else 14 for month in months])
    noise = np.random.default_rng(0).normal(0, 30, len(at))
    demand = 300 + 100 * np.cos((clock - evening) * np.pi / 12) + noise
    return [f"{instants.format(t)},{mw:.1f}" for t, mw in zip(at.tolist(), demand.tolist(), strict=True)]


def write(path: Path, lines: list[str]) -> str:
    """A CSV of rows; its name."""
    path.write_text("\n".join(["timestamp,demand_mw", *lines]) + "\n", encoding="utf-8")
    return str(path)


def three_years(path: Path) -> str:
    """A file of the local years 2001 to 2003."""
    return write(path, rows(FIRST, 1095))
