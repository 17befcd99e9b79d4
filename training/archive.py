"""Reads files of the UCR archive: a row is a day of 24 values and its class, 1 for winter and 2 for summer.

Three forms are accepted, and distinguished by their content: `.ts` (a head of lines that begin with # or @, then
values with commas and the class behind a colon), and `.tsv` or `.txt` (the class first, then the values, between
tabs, spaces or commas).
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from season.calendar import I64, Bool, Calendar
from season.settings import SettingError
from season.steps import F64, STEPS
from training.errors import FailedError

# The archive's ItalyPowerDemand stamps an hour at its end: a row is a day from 23:00 to 23:00 of Italy's clock.
WINDOWS = Calendar("Europe/Rome", "23:00")
LARGEST = float(np.finfo(np.float32).max)
WINTER = {1.0: True, 2.0: False}

# The two files of ItalyPowerDemand, whose rows' dates are known, though not by the archive (data/README.md).
SPLITS = {
    "341269cb7e6cef96846b30e774580beec79addb93848ba360145219115a74b7c": "TRAIN",
    "26122451f87dd0387ef90b18bc8a86c041371b8a1c068004922b939971247144": "TEST",
}
DATES = Path(__file__).parent.parent / "data" / "ucr_row_dates.csv"


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a file: `steps` [n, 24] in the archive's unit, `winter` [n]."""

    steps: F64
    winter: Bool


def holds_rows(file: Path) -> bool:
    """Return whether a file is one of the archive's, by its first line: readings begin with names or a brace."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        first = next((line.strip() for line in lines if line.strip()), "")
    return first[:1] in {"#", "@"} or (len(_fields(first)) > 1 and all(map(_is_number, _fields(first))))


def read(file: Path, name: str) -> Rows:
    """Return all rows of a file that `holds_rows`.

    Raises `FailedError` for a row that is no day with its class, and `SettingError` where there is none, or what
    the file says of itself is not what is read here.
    """
    steps, winter = [], []
    for number, text in _rows(file, name):
        try:
            day, season = _row(text)
        except ValueError as error:
            raise FailedError(f"{name}:{number}: {error}") from None
        steps.append(day)
        winter.append(season)
    if not steps:
        raise SettingError(f"--data {name}: no row is in it")
    return Rows(np.array(steps), np.array(winter, np.bool_))


def dates(sha256: str) -> I64 | None:
    """Return the date of each row, in days since 1970, for the checksums of ItalyPowerDemand; else nothing."""
    split = SPLITS.get(sha256)
    if split is None:
        return None
    with DATES.open(encoding="utf-8", newline="") as lines:
        known = {int(row["row"]): row["date"] for row in csv.DictReader(lines) if row["split"] == split}
    return np.array([known[row] for row in range(len(known))], "datetime64[D]").astype(np.int64)


def _rows(file: Path, name: str) -> Iterator[tuple[int, str]]:
    """Return the lines with a row and their numbers."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if text.startswith("@"):
                _check_head(text, name)
            elif text and not text.startswith("#"):
                yield number, text


def _check_head(text: str, name: str) -> None:
    """Raise where a .ts file's head says otherwise than one series of 24 values a row, without stamps."""
    said = " ".join(text.lower().split())
    refused = {
        "@timestamps true": "has stamps",
        "@univariate false": "has several series a row",
        "@classlabel false": "has no classes",
    }
    for head, what in refused.items():
        if said.startswith(head):
            raise SettingError(f"--data {name}: it {what} ({text}); rows of 24 values and a class are allowed")
    if said.startswith("@serieslength ") and said != f"@serieslength {STEPS}":
        raise SettingError(f"--data {name}: its rows have another length ({text}); {STEPS} values are allowed")


def _row(text: str) -> tuple[list[float], bool]:
    """Return a day [24] and whether it is a winter's. Raises ValueError."""
    if ":" in text:
        values, _, label = text.rpartition(":")
        fields = [*_fields(values), label]
    else:
        label, *rest = _fields(text)
        fields = [*rest, label]
    if len(fields) != STEPS + 1:
        raise ValueError(f"it has {len(fields) - 1} values and a class; {STEPS} are allowed")
    for field in fields:
        if not _is_number(field) or not abs(float(field)) <= LARGEST:
            raise ValueError(f"{field[:20]!r} is no number that is finite in 32 bits")
    *day, season = map(float, fields)
    if season not in WINTER:
        raise ValueError(f"the class {label!r} is not allowed; 1 (October to March) and 2 (April to September) are")
    return day, WINTER[season]


def _fields(text: str) -> list[str]:
    return re.split(r"[\s,]+", text.strip())


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
