"""Nanoseconds a reading from bytes to columns, beside `json.loads` alone.

The baseline only parses: no field is checked, no timestamp read, no key compared.
"""

import json

from benchmarks.side import side_by_side
from benchmarks.tables import TableRow, table
from consumer.adapters.decode import decode
from season.calendar import Calendar
from season.messages import encode_reading

BATCH = 5000  # what the service takes at a time
RUNS = 7
START = 1622505600


def main() -> None:
    """Print the table."""
    rows = [
        _row("all zones, hour by hour", hours=1, broken=0),
        _row("each zone, year by year", hours=BATCH, broken=0),
        _row("hour by hour, one message in it is broken", hours=1, broken=1),
    ]
    table("From bytes to columns: ns a reading", ["decode", "json.loads alone"], rows)


def _row(name: str, hours: int, broken: int) -> TableRow:
    calendar = Calendar("Europe/Rome")
    keys, values = _batch(hours)
    ours = [*values[: BATCH - broken], *[b"{"] * broken]
    return side_by_side(
        name,
        lambda: decode(keys, ours, 4, calendar),
        lambda: [json.loads(value) for value in values],
        BATCH,
        RUNS,
        1e9,
    )


def _batch(hours: int) -> tuple[list[bytes], list[bytes]]:
    """Return keys and values of readings that share so many different hours."""
    zones = [f"zone-{i % 2000:04d}" for i in range(BATCH)]
    values = [
        encode_reading(zone, START + 3600 * (i % hours), round(20000 + i * 1.7, 1)) for i, zone in enumerate(zones)
    ]
    return [zone.encode() for zone in zones], values
