"""The fast road: what it takes is what the rule takes, bit by bit, and the usual readings go there."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumer.adapters.usual import read_usual
from consumer.core.columns import READING as RECORD
from season import instants
from season.messages import ReadingError, decode_fields, decode_timestamp
from tests.consumer.adapters.decode.made import reading
from tests.hostile_json import READING, hostile, readings


def usual(value: bytes, key: bytes = b"IT", null_keys: bool = False) -> tuple[str, int, str] | None:
    """Zone, instant and demand (its bits) as the fast road reads them, None where it does not."""
    records, taken = np.zeros(1, RECORD), np.zeros(1, np.bool_)
    text, keys = np.frombuffer(value, np.uint8), np.frombuffer(key, np.uint8)
    spans = np.zeros(1, np.int64), np.array([len(value)]), keys, np.zeros(1, np.int64), np.array([len(key)])
    read_usual(text, *spans, null_keys, records, taken)
    start, length = int(records[0]["name_start"]), int(records[0]["name_length"])
    name = value[start : start + length].decode() if taken[0] else ""
    return (name, int(records[0]["instant"]), float(records[0]["demand"]).hex()) if taken[0] else None


def strict(value: bytes) -> tuple[str, int, str] | None:
    """The same by the rule."""
    try:
        fields = decode_fields(value)
        return fields.zone, decode_timestamp(fields.timestamp), float(fields.demand_mw).hex()
    except (ReadingError, ValueError):
        return None


@settings(max_examples=1000)
@given(hostile() | readings())
@example(reading(demand_mw="-0"))
@example(reading(demand_mw="-0.0"))
@example(reading(timestamp='"2021-02-29T13:00:00Z"'))
@example(reading(timestamp='"224p-05-05T11:00:00Z"'))
def test_what_the_fast_road_takes_is_what_the_rule_takes(value: bytes) -> None:
    """Whatever the bytes are: it says the same as the rule, or nothing."""
    expected = strict(value)
    key = b"" if expected is None else expected[0].encode()
    assert usual(value, key) in (None, expected)


@settings(max_examples=1000)
@given(
    st.floats(allow_nan=False, allow_infinity=False) | st.from_regex(r"-?(0|[1-9]\d{0,16})(\.\d{1,17})?(e-?\d\d?)?")
)
def test_numbers_are_exact(number: float | str) -> None:
    """A demand has the bits that Python's own reader gives it, however it is written."""
    text = json.dumps(number) if isinstance(number, float) else number.strip()
    found = usual(reading(demand_mw=text))
    assert found is None or found[2] == float(json.loads(text)).hex()


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


@settings(max_examples=500)
@given(
    odd_stamps()
    | st.integers(0, 253402300799).map(instants.format)
    | st.sampled_from(
        [
            "",
            "é" * 10,
            "2021-06-0\u0661T13:00:0Z",
            "2021-06-01T13:00:00:",
            "1969-12-31T23:59:59Z",
            "224p-05-05T11:00:00Z",
        ]
    )
    | st.text(alphabet="0123456789-:TZ", min_size=20, max_size=20)
)
def test_odd_timestamps_are_left_to_the_rule(stamp: str) -> None:
    """A stamp in UTC with a Z is read where the rule reads it; no other is read otherwise than by the rule."""
    value = reading(timestamp=json.dumps(stamp, ensure_ascii=False))
    expected = strict(value)
    assert usual(value) in ({expected} if stamp.endswith("Z") and "T" in stamp else {None, expected})


@settings(max_examples=500)
@given(st.datetimes(), st.integers(-1439, 1439))
def test_timestamps_are_those_of_the_rule(moment: object, offset: int) -> None:
    """Any second from 1970 on, with any offset, is the instant that the rule reads."""
    sign, ahead = "-" if offset < 0 else "+", abs(offset)
    stamp = f"{str(moment)[:10]}T{str(moment)[11:19]}{sign}{ahead // 60:02}:{ahead % 60:02}"
    for text in (stamp, stamp[:19] + "Z"):
        value = reading(timestamp=json.dumps(text))
        assert usual(value) == strict(value)


@pytest.mark.parametrize(
    "value",
    [
        READING,
        READING.replace(b" ", b""),
        b' {"demand_mw":\t1e3,\r\n"timestamp":"2021-06-01T15:00:00+02:00","zone":"IT"} ',
        READING[:-1] + b', "unit": "MW", "quality": -1.5e-3, "estimated": false, "source": null, "ok": true}',
        READING[:-1] + ', "Größe": "żółć 日本 😀"}'.encode(),
        reading(demand_mw="-12.25"),
        reading(demand_mw="0"),
    ],
)
def test_usual_readings_go_the_fast_road(value: bytes) -> None:
    """What publishers write is read by the loop, whatever the order, the white space and simple further fields."""
    assert usual(value) == strict(value) is not None


@pytest.mark.parametrize(
    ("key", "null_keys", "taken"),
    [(b"IT", False, True), (b"I", True, False), (b"DE", False, False), (b"", True, False)],
)
def test_the_key_must_be_the_zone(key: bytes, null_keys: bool, taken: bool) -> None:
    """The loop holds the key against the zone; an empty key is not a null one."""
    assert (usual(READING, key, null_keys) is not None) == taken
