"""Files of readings become labelled whole days, and what is left out is counted."""

from io import BytesIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest

from season.calendar import Calendar
from season.files import FileOptions
from season.settings import SettingError
from training import days
from training.errors import FailedError

from .made import FIRST, ROME, rows, three_years, write

OPTIONS = FileOptions(zone="IT")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> days.DataSource:
    """Three made years."""
    return days.load(three_years(tmp_path_factory.mktemp("days") / "made.csv"), OPTIONS, ROME)


def test_every_local_day_is_there_with_its_season(source: days.DataSource) -> None:
    """1,095 days, the two of the clock changes included; October to March is winter by the local date."""
    found = source.days
    assert (source.name, len(found), source.incomplete, source.constant) == ("made.csv", 1095, 0, 0)
    assert (found.first, found.last) == ("2001-01-01", "2003-12-31")
    assert np.array_equal(found.winter, (found.months <= 3) | (found.months >= 10))
    assert np.array_equal(
        found.months, found.days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 + 1
    )


def test_days_that_lack_an_hour_or_a_shape_are_left_out_and_counted(tmp_path: Path) -> None:
    """Neither is learned from: the service fills or refuses such windows, here they are simply fewer days."""
    lines = rows(FIRST, 4)
    lines[24:48] = [line.split(",")[0] + ",5" for line in lines[24:48]]
    source = days.load(write(tmp_path / "x.csv", lines[:60] + lines[61:]), OPTIONS, ROME)
    assert (len(source.days), source.incomplete, source.constant) == (2, 1, 1)
    assert source.days.between("2001-01-04", "2001-01-04").days.tolist() == [source.days.days[-1]]


def test_zones_are_cut_apart(tmp_path: Path) -> None:
    """Two zones of one file have their own days; the same hour of both is no repeat."""
    lines = [f"{line},{zone}" for zone in ("B", "A") for line in rows(FIRST, 2)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["timestamp,demand_mw,zone", *lines]))
    assert days.load(str(path), FileOptions(), ROME).days.zones.tolist() == ["A", "A", "B", "B"]


def test_standard_input_is_read_as_a_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` gives the same days and checksum as the file itself."""
    path = write(tmp_path / "x.csv", rows(FIRST, 3))
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(Path(path).read_bytes())))
    piped, read = days.load("-", OPTIONS, ROME), days.load(path, OPTIONS, ROME)
    assert (piped.name, piped.sha256) == ("standard input", read.sha256)
    assert np.array_equal(piped.days.steps, read.days.steps)


def test_a_bad_row_stops_with_its_place(tmp_path: Path) -> None:
    """File, line and reason, and nothing is learned from the rest."""
    lines = rows(FIRST, 3)
    lines[10] = lines[10].split(",")[0] + ",many"
    with pytest.raises(FailedError, match=r"^x\.csv:12: .*many"):
        days.load(write(tmp_path / "x.csv", lines), OPTIONS, ROME)


def test_readings_of_another_clocks_hours_are_refused(tmp_path: Path) -> None:
    """Half an hour off, no reading is the hour of a window: a sentence, not a guess."""
    path = write(tmp_path / "x.csv", rows(FIRST, 3))
    with pytest.raises(SettingError, match="the clock of Asia/Kolkata reads no full hour"):
        days.load(path, OPTIONS, Calendar("Asia/Kolkata"))


def test_a_file_without_a_whole_day_is_refused(tmp_path: Path) -> None:
    """So is one that is not there."""
    path = write(tmp_path / "x.csv", rows(FIRST, 1)[:23])
    with pytest.raises(SettingError, match="not one whole day"):
        days.load(path, OPTIONS, ROME)
    with pytest.raises(SettingError, match=r"no\.csv: No such file"):
        days.load(str(tmp_path / "no.csv"), OPTIONS, ROME)


def test_the_years_are_split_in_order(source: days.DataSource) -> None:
    """The last year is tested on, the earlier ones learned from; no day is in both."""
    parts = days.split(source.days)
    assert [(part.first, part.last) for part in parts] == [
        ("2001-01-01", "2002-12-31"),
        ("2003-01-01", "2003-12-31"),
    ]
    assert sum(map(len, parts)) == len(source.days)


def test_a_year_begun_belongs_to_the_test(tmp_path: Path) -> None:
    """Days after the last year with all twelve months are tested on with it."""
    source = days.load(write(tmp_path / "x.csv", rows(FIRST, 1125)), OPTIONS, ROME)
    assert days.split(source.days)[1].last == "2004-01-30"


@pytest.mark.parametrize(("first", "last"), [("2001-01-01", "2001-12-31"), ("2002-02-01", "2002-12-31")])
def test_too_few_years_are_refused(source: days.DataSource, first: str, last: str) -> None:
    """One year cannot be split in two: the sentence says what is needed."""
    with pytest.raises(SettingError, match="at least two calendar years"):
        days.split(source.days.between(first, last))


def test_a_part_of_one_season_is_refused(source: days.DataSource) -> None:
    """From winter days alone nothing can be learned."""
    with pytest.raises(SettingError, match="of one season alone"):
        days.split(source.days.between("2002-11-01", "2003-12-31"))
