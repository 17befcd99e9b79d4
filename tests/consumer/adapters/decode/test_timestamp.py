"""Which instants a timestamp may be, and in which forms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.adapters import decode as module
from consumer.adapters.decode import decode
from season import instants
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


def odd_stamps() -> st.SearchStrategy[str]:
    """Timestamps whose parts are at or beyond their limits, one or two at a time."""
    years, months, days = (
        ("2021", "2024", "1900", "1969", "0000"),
        ("02", "01", "12", "00", "13"),
        ("28", "29", "30", "00"),
    )
    hours, minutes = ("13", "00", "23", "24"), ("00", "59", "60", "6x")
    parts = (years, months, days, hours, minutes, minutes, ("Z", "z", "+00:00"), ("T", "t", " "))
    text = "{0}-{1}-{2}{7}{3}:{4}:{5}{6}".format
    return st.builds(text, *(st.just(usual[0]) | st.sampled_from(usual) for usual in parts))


@settings(max_examples=300)
@given(
    st.lists(
        odd_stamps()
        | st.integers(0, 253402300799).map(instants.format)
        | st.sampled_from(["", "é" * 20, "2021-06-0\u0661T13:00:00Z", "2021-06-01T13:00:00:", "1969-12-31T23:59:59Z"])
        | st.text(alphabet="0123456789-:TZ", min_size=20, max_size=20)
    )
)
def test_timestamps_by_column_are_those_of_the_strict_reader(texts: list[str]) -> None:
    """The columnar reader knows no text that the strict one refuses, reads the same, and knows all usual ones."""
    found, known = module._usual_instants(texts)
    for text, instant, usual in zip(texts, found.tolist(), known.tolist(), strict=True):
        try:
            expected = instants.parse(text)
        except ValueError:
            assert not usual
        else:
            assert usual == (instants.format(expected) == text and expected >= 0)
            assert instant == (expected if usual else 0)
