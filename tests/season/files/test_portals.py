"""Files as ENTSO-E and Terna give them become the right hours."""

import math
from pathlib import Path

from season import instants
from season.files import BadRow, FileReading
from tests.season.files.made import hours, rows


def test_entsoe_load_as_its_portal_gave_it_until_2024(tmp_path: Path) -> None:
    """Quarter hours as intervals of local time, everything in quotes, a forecast beside the load."""
    text = (
        '\ufeff"Time (CET/CEST)","Day-ahead Total Load Forecast [MW] - BZN|DE-LU",'
        '"Actual Total Load [MW] - BZN|DE-LU"\n'
        '"01.01.2021 00:00 - 01.01.2021 00:15","41893","42500"\n'
        '"01.01.2021 00:15 - 01.01.2021 00:30","41593","42300"\n'
        '"01.01.2021 00:30 - 01.01.2021 00:45","41293","42100"\n'
        '"01.01.2021 00:45 - 01.01.2021 01:00","40993","41900"\n'
        '"01.01.2021 01:00 - 01.01.2021 01:15","40693","N/A"\n'
    )
    items = rows(
        tmp_path, text, "--zone=DE", "--time-column=Time (CET/CEST)", "--time-zone=Europe/Berlin", "--step=15m",
        "--demand-column=Actual Total Load [MW] - BZN|DE-LU",
    )  # fmt: skip
    assert items == [
        FileReading("DE", instants.parse("2020-12-31T23:00:00Z"), 42200.0),
        BadRow(str(tmp_path / "readings.csv"), 6, "there is no demand ('N/A')"),
    ]


def test_entsoe_load_as_its_portal_gives_it_since(tmp_path: Path) -> None:
    """The area in a column, seconds and slashes, and across a clock change the clock's name behind each time."""
    text = '"MTU (CET/CEST)","Area","Actual Total Load (MW)","Day-ahead Total Load Forecast (MW)"\n' + "".join(
        f'"26/10/2025 {start}:00 ({a}) - 26/10/2025 {end}:00 ({b})","BZN|IT-North","{load}","1"\n'
        for start, a, end, b, load in [
            ("01:00", "CEST", "02:00", "CEST", 10), ("02:00", "CEST", "02:00", "CET", 11),
            ("02:00", "CET", "03:00", "CET", 12), ("03:00", "CET", "04:00", "CET", 13),
        ]
    )  # fmt: skip
    items = rows(
        tmp_path, text, "--zone-column=Area", "--time-column=MTU (CET/CEST)",
        "--demand-column=Actual Total Load (MW)", "--time-zone=Europe/Rome",
    )  # fmt: skip
    assert hours(items) == [
        (f"2025-10-{d}:00:00Z", mw) for d, mw in [("25T23", 10), ("26T00", 11), ("26T01", 12), ("26T02", 13)]
    ]
    assert {item.zone for item in items if isinstance(item, FileReading)} == {"BZN|IT-North"}


def test_entsoe_load_as_its_file_library_gives_it(tmp_path: Path) -> None:
    """Tabs, UTC without an offset, a fraction of zero, several areas among each other."""
    text = "DateTime(UTC)\tResolutionCode\tAreaMapCode\tTotalLoad[MW]\n" + "".join(
        f"2026-02-01 0{hour}:{minute:02}:00.000\tPT15M\t{area}\t{load + minute}.000000\n"
        for hour in range(2)
        for minute in range(0, 60, 15)
        for area, load in [("AT", 6000), ("IT", 30000)]
    )
    items = rows(
        tmp_path, text, r"--delimiter=\t", "--zone-column=AreaMapCode", "--time-column=DateTime(UTC)",
        "--time-zone=UTC", "--demand-column=TotalLoad[MW]", "--step=15m",
    )  # fmt: skip
    assert items == [
        FileReading(area, instants.parse(f"2026-02-01T0{hour}:00:00Z"), load + 22.5)
        for hour in range(2)
        for area, load in [("AT", 6000), ("IT", 30000)]
    ]


def test_terna_load_as_its_download_center_gives_it(tmp_path: Path) -> None:
    """Semicolons, decimal commas, thousand dots, several zones, and the latest row first."""
    text = "Date;Total Load [MW];Forecast Total Load [MW];Bidding Zone\r\n" + "".join(
        f"01/12/2023 00:{minute:02}:00;17.003,{load:03};17812,24;{zone}\r\n"
        for minute in (45, 30, 15, 0)
        for zone, load in [("North", minute), ("South", 100)]
    )
    items = rows(
        tmp_path, text, "--delimiter=;", "--decimal=,", "--zone-column=Bidding Zone", "--time-column=Date",
        "--demand-column=Total Load [MW]", "--time-zone=Europe/Rome", "--step=15m",
    )  # fmt: skip
    start = instants.parse("2023-11-30T23:00:00Z")
    assert items == [
        FileReading("North", start, math.fsum([17003.0, 17003.015, 17003.03, 17003.045]) / 4),
        FileReading("South", start, 17003.1),
    ]
