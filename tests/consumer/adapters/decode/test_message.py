"""A message is a reading or malformed, as the naive reader of JSON and the slow road say."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings

from consumer.adapters.decode import decode
from season import instants
from season.messages import decode_reading
from tests import naive_json
from tests.consumer.adapters.decode.made import NOON, ROME, one, reading, rows
from tests.hostile_json import FIELDS, READING, depth, hostile


def naive(value: bytes) -> tuple[str, str, float] | None:
    """The fields of a reading by the interface's sentences, or None where it is malformed."""
    try:
        fields = naive_json.parse(value)
    except naive_json.NotJsonError:
        return None
    if not isinstance(fields, dict):
        return None
    zone, timestamp, demand = fields.get("zone"), fields.get("timestamp"), fields.get("demand_mw")
    if not isinstance(zone, str) or not isinstance(timestamp, str) or not isinstance(demand, float):
        return None
    with np.errstate(over="ignore"):
        finite = np.isfinite(np.float32(demand))
    return (zone, timestamp, demand) if finite and 1 <= len(zone.encode()) <= 200 else None


@settings(max_examples=1000)
@given(hostile())
@example(READING[:-1] + b', "x": "\\udc00"}')
@example(READING[:-1] + b', "x": "\xff"}')
@example(READING[:-1] + b', "zone": "a", "zone": "IT"}')
@example(b'{"zone": 1, ' + READING[1:])
@example(depth(500))
@example(depth(501))
def test_any_bytes_are_a_reading_or_malformed_as_the_naive_reader_says(value: bytes) -> None:
    """Arbitrary bytes become a reading or a rejection, never an exception, and by every rule for the JSON."""
    expected = naive(value)
    decoded = decode([None], [value], 1, ROME)
    if expected is None:
        assert [rejected.reason for rejected in decoded.rejected] == ["malformed"]
    elif decoded.rejected:
        assert decoded.rejected[0].reason == "bad_timestamp"
    else:
        zone, timestamp, demand = expected
        assert rows(decoded) == [(0, zone, instants.parse(timestamp), demand.hex())]
    for rejected in decoded.rejected:
        assert rejected.error.isprintable()
        assert len(rejected.error) < 700


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b" ",
        b"null",
        b"[]",
        b'"x"',
        b"1",
        b"{}",
        b"\xef\xbb\xbf" + READING,
        READING + b"x",
        b"{" + FIELDS,
        reading(zone="null"),
        reading(zone="1"),
        reading(timestamp="null"),
        reading(timestamp="1622552400"),
        b'{"zone": "IT", "timestamp": "2021-06-01T13:00:00Z"}',
        READING.replace(b"zone", b"Zone"),
    ],
)
def test_what_is_no_reading_is_malformed(value: bytes | None) -> None:
    """No value, no JSON, no object, a field missing or of a wrong type."""
    assert one(value) == "malformed"


def test_one_reading_alone_is_read_by_the_same_rule() -> None:
    """What a program that reads one message gets is what the columns hold."""
    assert decode_reading(READING) == ("IT", NOON, 31234.5)


def sentences(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> list[str]:
    """The sentences of the rejected messages."""
    return [rejected.error for rejected in decode(keys, values, 4, ROME).rejected]


def test_the_sentences() -> None:
    """Each says what is wrong, where, and what is allowed."""
    values = [
        None,
        b"[}",
        b"[]",
        b"{}",
        reading(zone='"' + "é" * 101 + '"'),
        reading(zone="7"),
        reading(demand_mw="false"),
        reading(demand_mw="1e39"),
        reading(timestamp='"yesterday"'),
        reading(timestamp='"1969-12-31T23:00:00Z"'),
        reading(timestamp='"2021-06-01T13:30:00Z"'),
        reading(zone='"' + "x" * 60 + '"'),
        READING,
    ]
    assert sentences([*[b"IT"] * 12, None], values) == [
        "the message has no value; a reading as JSON is expected",
        "the value of 2 bytes is no reading: not JSON: Expecting value at character 1",
        "the value is an array; a JSON object is expected",
        "zone is missing",
        "zone has 202 bytes of UTF-8; 1 to 200 bytes are allowed",
        "zone is a number; a string is expected",
        "demand_mw is a boolean; a number is expected",
        "demand_mw 1e39 is not finite as a 32-bit float",
        "timestamp 'yesterday' is not an RFC 3339 instant such as 2021-06-01T13:00:00Z",
        "timestamp '1969-12-31T23:00:00Z' is before 1970-01-01T00:00:00Z",
        "timestamp '2021-06-01T13:30:00Z' is not a full hour on the clock of Europe/Rome",
        f"the key 'IT' is not the zone '{'x' * 40}'… (60 characters)",
        "the key is null; on a topic of 4 partitions it has to be the zone, 'IT'",
    ]
