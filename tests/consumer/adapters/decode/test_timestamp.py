"""Which instants a timestamp may be, and in which forms."""

import pytest

from consumer.adapters.decode import decode
from season.messages import encode_reading
from tests.consumer.adapters.decode.made import KATHMANDU, NOON, ROME, one, reading


@pytest.mark.parametrize(
    "timestamp",
    [
        "2021-06-01T13:00:00.000Z",
        "2021-06-01t13:00:00z",
        "2021-06-01 13:00:00Z",
        "2021-06-01T15:00:00+02:00",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00-00:00",
        "9999-12-31T23:00:00Z",
        "2024-02-29T00:00:00Z",
    ],
)
def test_timestamps_of_every_allowed_form_are_taken(timestamp: str) -> None:
    """The first instant is that of 1970, and any offset may be there."""
    assert one(reading(timestamp=f'"{timestamp}"')) == ""


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        "2021-06-01T13:00:00",
        "2021-06-01T24:00:00Z",
        "2021-06-01T13:00:60Z",
        "2021-06-01T13:00:00+0200",
        "2021-06-01T13:00:01Z",
        "2021-06-01T13:30:00Z",
        "2021-06-01T13:15:00Z",
        "1969-12-31T23:00:00Z",
        "1970-01-01T00:00:00+01:00",
        "2021-02-29T00:00:00Z",
        "2021-W22-2",
        "0001-01-01T00:00:00Z",
        "\u0000" * 20,
    ],
)
def test_timestamps_that_are_not_allowed(timestamp: str) -> None:
    """Not RFC 3339, not on the hour, before 1970: before the key is looked at."""
    decoded = decode([b"DE"], [encode_reading("IT", NOON, 1.0).replace(b"2021-06-01T13:00:00Z", b"%s")], 4, ROME)
    assert decoded.rejected[0].reason == "bad_timestamp"
    assert one(reading(timestamp=f'"{timestamp}"'.replace("\u0000", "\\u0000")), b"DE") == "bad_timestamp"


def test_the_full_hour_is_that_of_the_windows_time_zone() -> None:
    """Kathmandu's clock reads a full hour a quarter after that of UTC."""
    quarter, full = reading(timestamp='"2021-06-01T13:15:00Z"'), reading(timestamp='"2021-06-01T13:00:00Z"')
    assert [one(quarter, calendar=KATHMANDU), one(full, calendar=KATHMANDU)] == ["", "bad_timestamp"]
