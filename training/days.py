"""Reads a file into labelled days: cuts readings as the service cuts its windows; the archive's rows are days."""

import hashlib
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from season import files, instants
from season.calendar import I64, Bool, Calendar
from season.labels import WINTER, calendar_label
from season.settings import SettingError
from season.steps import F64, STEPS, day_windows
from training import archive
from training.errors import FailedError

# The files of this repository: the names of the models that learn from them, and what a card says of them.
ITALY_SHA256 = "4d6b8f529203efc955d9a4125ee5209898309d0b18c698ebb0e5800f4a3ce04e"
ARCHIVE_SHA256 = {split: sha256 for sha256, split in archive.SPLITS.items()}
NAMES = {ITALY_SHA256: "italy-load", ARCHIVE_SHA256["TRAIN"]: "italy-power-demand"}
ORIGINS = {
    ITALY_SHA256: "Italy's total load, ENTSO-E Transparency Platform / Terna, CC BY 4.0 (`data/README.md`)",
    ARCHIVE_SHA256["TRAIN"]: "the UCR archive's ItalyPowerDemand, its days to learn from (`data/README.md`)",
    ARCHIVE_SHA256["TEST"]: "the UCR archive's ItalyPowerDemand, its days to test on (`data/README.md`)",
}


@dataclass(frozen=True, eq=False)
class Days:
    """Whole local days with their season: arrays over days, ordered by zone and date, or as the archive has them.

    `zones` [n]; `days` [n], their dates as days since 1970; `steps` [n, 24] in MW; `months` [n] of their
    middles; `winter` [n]. Where no dates are known `days` counts the rows from 0, and all months are 0.
    """

    zones: NDArray[np.str_]
    days: I64
    steps: F64
    months: I64
    winter: Bool

    def __len__(self) -> int:
        return len(self.days)

    def __getitem__(self, rows: Bool) -> "Days":
        return Days(self.zones[rows], self.days[rows], self.steps[rows], self.months[rows], self.winter[rows])

    @property
    def dated(self) -> bool:
        """Return whether dates are known."""
        return bool(self.months.all())

    def name(self, day: int) -> str:
        """Return a day's name, by its entry in `days`: a local date such as 2021-01-01, or a row's number."""
        return str(np.datetime64(day, "D")) if self.dated else f"row {day}"

    @property
    def first(self) -> str:
        """Return the earliest day's name."""
        return self.name(int(self.days.min()))

    @property
    def last(self) -> str:
        """Return the latest day's name."""
        return self.name(int(self.days.max()))

    def between(self, first: str, last: str) -> "Days":
        """Return the days from one local date to another, both included."""
        low, high = (np.datetime64(date, "D").astype(np.int64) for date in (first, last))
        return self[(low <= self.days) & (self.days <= high)]


@dataclass(frozen=True, eq=False)
class DataSource:
    """A file as days, with the facts for the card.

    `windows` says how the days are cut. `incomplete` and `constant` days are left out: those that lack an hour,
    and those without any shape. `archive` is set where the file is one of the UCR archive's.
    """

    name: str
    sha256: str
    days: Days
    windows: Calendar
    incomplete: int
    constant: int
    archive: bool


def load(path: str, options: files.FileOptions, windows: Calendar, cut: Calendar = archive.WINDOWS) -> DataSource:
    """Return the days in a file of readings, or of the UCR archive (`-`: standard input).

    Readings are cut to `windows`; rows of the archive are cut already, as `cut` says. Raises `FailedError` for a
    row that cannot be read, and `SettingError` for a file that is none or has no whole day.
    """
    name = "standard input" if path == "-" else Path(path).name
    with _as_file(path) as file:
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        rows = archive.holds_rows(file)
        if rows:
            days, incomplete, windows = _of_rows(file, name, sha256), 0, cut
        else:
            days, incomplete = _of_readings(files.read(str(file), options), name, windows)
    shaped = np.ptp(days.steps.astype(np.float32), axis=1) > 0
    if not shaped.any():
        raise SettingError(f"--data {name}: not one whole day of readings with a shape is in it")
    return DataSource(name, sha256, days[shaped], windows, incomplete, int(np.sum(~shaped)), rows)


def _of_rows(file: Path, name: str, sha256: str) -> Days:
    rows, dates = archive.read(file, name), archive.dates(sha256)
    count = len(rows.winter)
    months = np.zeros(count, np.int64) if dates is None else archive.WINDOWS.months(dates)
    zones = np.full(count, Path(name).stem)
    return Days(zones, np.arange(count) if dates is None else dates, rows.steps, months, rows.winter)


def _of_readings(
    readings: Iterable[files.FileReading | files.BadRow], name: str, windows: Calendar
) -> tuple[Days, int]:
    """Return the days of readings that lack no hour, and how many days lack one."""
    parts: list[Days] = []
    incomplete = 0
    for zone, (at, demand) in sorted(_columns(readings, name, windows).items()):
        cut = day_windows(at, demand, windows)
        incomplete += len(np.unique(windows.days(at))) - len(cut.days)
        months = windows.months(cut.days)
        winter = np.array([calendar_label(int(month)) == WINTER for month in months], np.bool_)
        parts.append(Days(np.full(len(months), zone), cut.days, cut.steps, months, winter))
    return _join(parts), incomplete


def split(days: Days) -> tuple[Days, Days]:
    """Return the days to learn from and those to test on: all earlier years, and the last.

    The last year is the last that has days of all twelve months; what follows it is tested on too. For days
    of 2015 to 2021: 2015 to 2020, 2021. Raises `SettingError` where there are not two such years.
    """
    years = days.days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    complete = [year for year in np.unique(years) if len(np.unique(days.months[years == year])) == 12]
    if not complete or not np.any(years < complete[-1]):
        raise SettingError(
            "--data: the days are too few to learn from and to test on: they lie between "
            f"{days.first} and {days.last}; at least two calendar years are needed, the last of them with days in "
            "every month"
        )
    check_seasons(days[years < complete[-1]])
    return days[years < complete[-1]], days[years >= complete[-1]]


def check_seasons(known: Days) -> None:
    """Raise `SettingError` where there is one season alone: nothing can be learned then."""
    if known.winter.all() or not known.winter.any():
        raise SettingError(
            f"--data: the days from {known.first} to {known.last} are of one season alone; both are needed"
        )


def _columns(
    readings: Iterable[files.FileReading | files.BadRow], name: str, calendar: Calendar
) -> dict[str, tuple[I64, F64]]:
    """Return instants and values of each zone. Raises where an instant is no full hour of the windows' clock."""
    columns: dict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
    for reading in readings:
        if isinstance(reading, files.BadRow):
            raise FailedError(f"{name}:{reading.line}: {reading.reason}")
        at, demand = columns[reading.zone]
        at.append(reading.instant)
        demand.append(reading.demand_mw)
    zones = {zone: (np.array(at, np.int64), np.array(demand)) for zone, (at, demand) in columns.items()}
    for stamps, _ in zones.values():
        off = stamps[~calendar.on_the_hour(stamps)]
        if len(off):
            raise SettingError(
                f"--data {name}: at {instants.format(int(off[0]))} the clock of {calendar.time_zone} reads no "
                "full hour; windows are made of readings of that clock's hours"
            )
    return zones


def _join(parts: list[Days]) -> Days:
    nothing = np.zeros(0, np.int64)
    none = Days(np.zeros(0, np.str_), nothing, np.zeros((0, STEPS)), nothing, np.zeros(0, np.bool_))
    together = [none, *parts]
    return Days(
        zones=np.concatenate([part.zones for part in together]),
        days=np.concatenate([part.days for part in together]),
        steps=np.concatenate([part.steps for part in together]),
        months=np.concatenate([part.months for part in together]),
        winter=np.concatenate([part.winter for part in together]),
    )


@contextmanager
def _as_file(path: str) -> Iterator[Path]:
    """Return the file, or a copy of standard input, since it is read twice."""
    if path != "-":
        file = Path(path)
        try:
            file.open("rb").close()
        except OSError as error:
            raise SettingError(f"--data {path}: {error.strerror}; a file of readings is allowed") from None
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "readings"
        with file.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield file
