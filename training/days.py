"""From a file of readings to labelled days, cut and filled by the same code as the service's windows."""

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
from training.errors import FailedError

# The file of this repository: the name of the model that learns from it, and what a card says of it.
ITALY_SHA256 = "4d6b8f529203efc955d9a4125ee5209898309d0b18c698ebb0e5800f4a3ce04e"
NAMES = {ITALY_SHA256: "italy-load"}
ORIGINS = {
    ITALY_SHA256: "Italy's total load, ENTSO-E Transparency Platform / Terna, CC BY 4.0 (`data/README.md`)",
}
PARTS = ("learned_from", "chosen_on", "test")


@dataclass(frozen=True, eq=False)
class Days:
    """Whole local days with their season: arrays over days, ordered by zone and date.

    `zones` [n]; `days` [n], their dates as days since 1970; `steps` [n, 24] in MW; `months` [n] of their
    middles; `winter` [n].
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
    def first(self) -> str:
        """The earliest local date, such as 2021-01-01."""
        return str(self.days.min().astype("datetime64[D]"))

    @property
    def last(self) -> str:
        """The latest local date."""
        return str(self.days.max().astype("datetime64[D]"))

    def between(self, first: str, last: str) -> "Days":
        """The days from one local date to another, both included."""
        low, high = (np.datetime64(date, "D").astype(np.int64) for date in (first, last))
        return self[(low <= self.days) & (self.days <= high)]


@dataclass(frozen=True, eq=False)
class Source:
    """A file of readings as days, with what a card has to say of it.

    `incomplete` and `constant` days are left out: those that lack an hour, and those without any shape.
    """

    name: str
    sha256: str
    days: Days
    incomplete: int
    constant: int


def load(path: str, options: files.FileOptions, calendar: Calendar) -> Source:
    """The days in a file of readings (`-`: standard input).

    Raises `FailedError` for a row that cannot be read, and `SettingError` for a file that is none or has no
    whole day.
    """
    name = "standard input" if path == "-" else Path(path).name
    with _as_file(path) as file:
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        zones = _columns(files.read(str(file), options), name, calendar)
    parts: list[Days] = []
    incomplete = 0
    for zone, (at, demand) in sorted(zones.items()):
        windows = day_windows(at, demand, calendar)
        incomplete += len(np.unique(calendar.days(at))) - len(windows.days)
        months = calendar.months(windows.days)
        winter = np.array([calendar_label(int(month)) == WINTER for month in months], np.bool_)
        parts.append(Days(np.full(len(months), zone), windows.days, windows.steps, months, winter))
    days = _join(parts)
    shaped = np.ptp(days.steps.astype(np.float32), axis=1) > 0
    if not shaped.any():
        raise SettingError(f"--data {name}: not one whole day of readings with a shape is in it")
    return Source(name, sha256, days[shaped], incomplete, int(np.sum(~shaped)))


def split(days: Days) -> tuple[Days, Days, Days]:
    """The days to learn from, to choose on and to test on: earlier years, the last but one, the last.

    The last year is the last that has days of all twelve months; what follows it is tested on too. For days
    of 2015 to 2021: 2015 to 2019, 2020, 2021. Raises `SettingError` where there are not three such years.
    """
    years = days.days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    whole = [year for year in np.unique(years) if len(np.unique(days.months[years == year])) == 12]
    if not whole or not np.any(years < whole[-1] - 1) or not np.any(years == whole[-1] - 1):
        raise SettingError(
            "--data: the days are too few to learn from, to choose on and to test on: "
            f"they lie between {days.first} and {days.last}; at least three calendar years are needed, "
            "the last of them with days in every month"
        )
    test = int(whole[-1])
    parts = days[years < test - 1], days[years == test - 1], days[years >= test]
    for part in parts[:2]:
        if part.winter.all() or not part.winter.any():
            raise SettingError(
                f"--data: the days from {part.first} to {part.last} are of one season alone; both are needed"
            )
    return parts


def _columns(
    readings: Iterable[files.FileReading | files.BadRow], name: str, calendar: Calendar
) -> dict[str, tuple[I64, F64]]:
    """Instants and values of each zone; the windows' clock has to read a full hour at each of them."""
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
    """The file; of standard input a copy, for it is read twice."""
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
