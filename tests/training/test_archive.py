"""The archive's files: three forms of the same rows, and what is none of them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from season import files
from season.calendar import Calendar
from season.settings import SettingError
from season.steps import STEPS
from training import archive, days
from training.command_line import ROOT
from training.errors import FailedError

TRAIN = ROOT / "data" / "ItalyPowerDemand_TRAIN.ts"
DAY = ",".join(map(str, range(STEPS)))

values = st.floats(-1e6, 1e6, allow_nan=False)
rows = st.lists(st.tuples(st.lists(values, min_size=STEPS, max_size=STEPS), st.booleans()), min_size=1, max_size=5)


def written(path: Path, form: str, some: list[tuple[list[float], bool]]) -> Path:
    """Rows in one of the archive's forms."""
    lines = {
        "ts": [f"{','.join(map(repr, day))}:{1 if winter else 2}" for day, winter in some],
        "tsv": ["\t".join([("1" if winter else "2"), *map(repr, day)]) for day, winter in some],
        "txt": [
            "  " + "  ".join([("1.0000000e+00" if winter else "2.0000000e+00"), *(f"{v:.17e}" for v in day)])
            for day, winter in some
        ],
        "commas": [",".join([("1" if winter else "2"), *map(repr, day)]) for day, winter in some],
    }[form]
    head = ["# a comment", "@problemName X", f"@seriesLength {STEPS}", "@classLabel true 1 2", "@data"]
    path.write_text("\n".join([*(head if form == "ts" else []), *lines]) + "\n")
    return path


@given(some=rows)
def test_the_forms_are_one_file(
    tmp_path_factory: pytest.TempPathFactory, some: list[tuple[list[float], bool]]
) -> None:
    """Whatever the rows are, each form gives them back to the last bit."""
    folder = tmp_path_factory.mktemp("forms")
    for form in ("ts", "tsv", "txt", "commas"):
        file = written(folder / f"x.{form}", form, some)
        assert archive.holds_rows(file)
        found = archive.read(file, file.name)
        assert found.steps.tolist() == [day for day, _ in some]
        assert found.winter.tolist() == [winter for _, winter in some]


def test_the_archives_own_file_has_its_dates() -> None:
    """67 days of 1997, the classes those of their months."""
    source = days.load(str(TRAIN), files.FileOptions(), Calendar("Asia/Tokyo"))
    assert source.archive
    assert (source.windows.time_zone, source.windows.day_start) == ("Europe/Rome", "23:00")
    assert (len(source.days), source.days.dated) == (67, True)
    assert source.days.first.startswith("1997-")
    assert source.days.last.startswith("1997-")
    assert np.array_equal(source.days.winter, np.isin(source.days.months, [1, 2, 3, 10, 11, 12]))
    assert source.days.name(int(source.days.days[0])) == "1997-12-13"


def test_other_rows_have_numbers(tmp_path: Path) -> None:
    """The archive gives no dates: a day is called by its row."""
    file = written(tmp_path / "x.tsv", "tsv", [([float(n) for n in range(STEPS)], True)] * 3)
    found = days.load(str(file), files.FileOptions(), Calendar("UTC")).days
    assert not found.dated
    assert (found.first, found.last, len(found)) == ("row 0", "row 2", 3)


BAD = [
    (f"{DAY},24:1", "3: it has 25 values and a class; 24 are allowed"),
    (f"{DAY}:3", "3: the class '3' is not allowed; 1 (October to March) and 2"),
    (f"{DAY[:-2]}?:1", "3: '?' is no number that is finite in 32 bits"),
    (f"{DAY[:-2]}nan:1", "3: 'nan' is no number that is finite in 32 bits"),
    (f"{DAY[:-2]}1e39:1", "3: '1e39' is no number that is finite in 32 bits"),
    (DAY, "3: it has 23 values and a class; 24 are allowed"),
    (f"{DAY}:{DAY}:1", "3: it has 47 values and a class; 24 are allowed"),
]


@pytest.mark.parametrize(("row", "sentence"), BAD)
def test_a_bad_row_is_told_with_its_line(tmp_path: Path, row: str, sentence: str) -> None:
    """File, line, what is wrong and what is allowed."""
    file = tmp_path / "x.ts"
    file.write_text(f"@data\n{DAY}:1\n{row}\n")
    with pytest.raises(FailedError) as raised:
        archive.read(file, "x.ts")
    assert str(raised.value).startswith("x.ts:")
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ("@seriesLength 96", "its rows have another length"),
        ("@timeStamps true", "it has stamps"),
        ("@univariate false", "it has several series a row"),
        ("@classLabel false", "it has no classes"),
        ("@data", "no row is in it"),
    ],
)
def test_a_head_of_another_kind_is_refused(tmp_path: Path, head: str, sentence: str) -> None:
    """What the file says of itself is believed."""
    file = tmp_path / "x.ts"
    file.write_text(f"{head}\n" if head == "@data" else f"{head}\n@data\n{DAY}:1\n")
    with pytest.raises(SettingError, match=sentence):
        archive.read(file, "x.ts")


@pytest.mark.parametrize("text", ["timestamp,demand_mw\n", '{"zone": "IT"}\n', "", "2021-01-01T00:00:00Z,1\n"])
def test_readings_are_no_rows(tmp_path: Path, text: str) -> None:
    """A head of names or a brace: those are files of readings."""
    (tmp_path / "x").write_text(text)
    assert not archive.holds_rows(tmp_path / "x")
