"""JSON lines are read with the options that CSV has."""

from pathlib import Path

import pytest

from season import instants
from season.files import BadRow, FileReading
from tests.season.files.made import reasons, rows


def test_json_lines_are_read_with_the_same_options(tmp_path: Path) -> None:
    """A file whose first line is an object is JSON lines; the column options name its fields."""
    text = '\n{"t": "2021-06-01T13:00:00Z", "mw": 5, "zone": "IT"}\n\n'
    text += '{"mw": 6.5, "t": "2021-06-01T14:00:00Z", "zone": "FR"}'
    items = rows(tmp_path, text, "--time-column", "t", "--demand-column", "mw")
    assert items == [
        FileReading("IT", instants.parse("2021-06-01T13:00:00Z"), 5.0),
        FileReading("FR", instants.parse("2021-06-01T14:00:00Z"), 6.5),
    ]
    assert all(type(item.demand_mw) is float for item in items if isinstance(item, FileReading))


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("{}", "'zone' is None"),
        ('{"zone": 5, "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 1}', "'zone' is 5"),
        ('{"zone": "IT", "timestamp": 5, "demand_mw": 1}', "'timestamp' is 5"),
        ('{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": "1"}', "'demand_mw' is '1'"),
        ('{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": true}', "'demand_mw' is True"),
        ('{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 1e39}', "32-bit"),
        ('{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": NaN}', "not a JSON object"),
        ('{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": ' + "9" * 400 + "}", "3"),
        ('{"zone": "", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 1}', "0 bytes"),
        ('{"zone": "\\ud800", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 1}', ""),
        ('["IT"]', "not a JSON object"),
        ("[" * 3000, "not a JSON object"),
        ("{" * 3000, "not a JSON object"),
        ('{"a":' * 3000, "not a JSON object"),
        ("IT,2021-06-01T13:00:00Z,1", "not a JSON object"),
    ],
)
def test_a_bad_json_line_spoils_only_itself(tmp_path: Path, line: str, part: str) -> None:
    """A line that is no reading is named, and the next one is read."""
    good = '{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 1}'
    items = rows(tmp_path, f"{good}\n{line}\n{good}\n")
    assert [type(item) for item in items] == [FileReading, BadRow, FileReading]
    assert reasons(items)[0][0] == 2
    assert part in reasons(items)[0][1]
