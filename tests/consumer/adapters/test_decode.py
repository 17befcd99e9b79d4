"""The columnar decoder is held to the naive reader of JSON, to its own slow road, and to itself in other batches."""

import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consumer.adapters import decode as module
from consumer.adapters.decode import Decoded, Rejected, decode
from season import instants
from season.calendar import Calendar
from season.messages import decode_fields, decode_reading, encode_reading
from tests import naive_json
from tests.hostile_json import FIELDS, READING, depth, hostile, readings

ROME = Calendar("Europe/Rome")
KATHMANDU = Calendar("Asia/Kathmandu")
NOON = instants.parse("2021-06-01T13:00:00Z")


def one(value: bytes | None, key: bytes | None = b"IT", partitions: int = 4, calendar: Calendar = ROME) -> str:
    """The reason for which a message is rejected, or "" where it is taken."""
    decoded = decode([key], [value], partitions, calendar)
    assert len(decoded.zones) + len(decoded.rejected) == 1
    return decoded.rejected[0].reason if decoded.rejected else ""


def reading(zone: str = '"IT"', timestamp: str = '"2021-06-01T13:00:00Z"', demand_mw: str = "1.5") -> bytes:
    """A reading, its fields given as JSON."""
    return f'{{"zone": {zone}, "timestamp": {timestamp}, "demand_mw": {demand_mw}}}'.encode()


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


def rows(decoded: Decoded) -> list[tuple[int, str, int, str]]:
    """What was taken, to the bit."""
    columns = (decoded.rows, decoded.zones, decoded.instants, decoded.demands)
    return [(int(r), zone, int(t), float(d).hex()) for r, zone, t, d in zip(*columns, strict=True)]


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


@settings(max_examples=300)
@given(hostile())
@example(reading(demand_mw="-0"))
@example(reading(demand_mw="-0.0"))
def test_the_fast_road_agrees_with_the_slow_one(value: bytes) -> None:
    """What the batch decoder takes, the slow road takes as the same fields; what one refuses, the other does."""
    readings, _, rejected = module._read([value])
    taken = [(reading.zone, reading.timestamp, reading.demand_mw.hex()) for reading in readings]
    try:
        fields = decode_fields(value)
    except ValueError as error:
        expected = Rejected(0, "malformed", str(error))
        assert (taken, rejected) == ([], [expected])
    else:
        assert taken == [(fields.zone, fields.timestamp, fields.demand_mw.hex())]
        assert not rejected


messages = st.tuples(
    st.sampled_from([b"IT", None, b"", b"DE"]) | st.binary(max_size=3),
    st.none() | hostile() | st.just(READING) | st.just(reading(timestamp='"2021-06-01T13:30:00Z"')) | readings(),
)


@settings(max_examples=200)
@given(st.lists(messages, max_size=12), st.sampled_from([1, 4]), st.sampled_from([ROME, KATHMANDU]))
def test_a_batch_equals_one_by_one(
    batch: list[tuple[bytes | None, bytes | None]], partitions: int, calendar: Calendar
) -> None:
    """No message changes what becomes of another, every one has one place, and both lists keep the order."""
    keys, values = [key for key, _ in batch], [value for _, value in batch]
    decoded = decode(keys, values, partitions, calendar)
    alone = [decode([key], [value], partitions, calendar) for key, value in batch]
    assert rows(decoded) == [(row, *rest) for row, each in enumerate(alone) for _, *rest in rows(each)]
    assert decoded.rejected == [
        Rejected(row, each.rejected[0].reason, each.rejected[0].error)
        for row, each in enumerate(alone)
        if each.rejected
    ]
    assert sorted([*decoded.rows.tolist(), *(r.row for r in decoded.rejected)]) == list(range(len(batch)))


def test_messages_cannot_join_hands() -> None:
    """Halves of a reading, or of a character, that would be whole side by side are malformed each."""
    halves = [READING[:20], READING[20:]], [READING + b"\xc3", b"\xa9" + READING], [b"[" + READING, READING + b"]"]
    for pair in halves:
        assert [r.reason for r in decode([b"IT"] * 2, pair, 4, ROME).rejected] == ["malformed"] * 2


@pytest.mark.parametrize(
    ("demand", "taken"),
    [
        ("-5e-324", True),
        ("0", True),
        ("-0.0", True),
        ("1E5", True),
        ("340282346638528859811704183484516925440", True),
        (str(2**128 - 2**103), False),
        ("3.4028235677973362e38", True),
        ("3.4028235677973366e38", False),
        ("-3.4028235677973366e38", False),
        ("1e39", False),
        ("1e400", False),
        ("1" + "0" * 400, False),
        ("1e-400", True),
        ("0." + "0" * 5000 + "1", True),
        ("true", False),
        ("null", False),
        ('"1.5"', False),
        ("[1.5]", False),
        ("NaN", False),
        ("Infinity", False),
    ],
)
def test_demand_is_a_number_that_is_finite_as_a_32_bit_float(demand: str, taken: bool) -> None:
    """The edge is where a 64-bit float rounds to infinity as a 32-bit one; a boolean is no number."""
    assert one(reading(demand_mw=demand)) == ("" if taken else "malformed")


@pytest.mark.parametrize("sign", [1, -1])
def test_the_edge_of_demand_is_exact(sign: int) -> None:
    """The last 64-bit float that is finite as a 32-bit one is taken, the next is not, on either road."""
    edge = 2.0**128 - 2.0**103
    for slow in ("", ', "x": "\\ud83d\\ude00"'):
        for demand, finite in ((np.nextafter(edge, 0), True), (edge, False)):
            with np.errstate(over="ignore"):
                assert np.isfinite(np.float32(demand)) == finite
            value = reading(demand_mw=repr(float(sign * demand)) + slow)
            assert one(value) == ("" if finite else "malformed")


@given(st.floats(width=64, allow_nan=False, allow_infinity=False, min_value=-3e38, max_value=3e38))
def test_demand_is_kept_as_a_64_bit_float(demand: float) -> None:
    """What a publisher wrote comes out to the bit."""
    assert decode([b"IT"], [encode_reading("IT", NOON, demand)], 4, ROME).demands[0].hex() == demand.hex()


@pytest.mark.parametrize(
    ("zone", "taken"),
    [
        ("", False),
        ("é" * 100, True),
        ("é" * 100 + "x", False),
        ("x" * 200, True),
        ("x" * 201, False),
        ("\U0001f600" * 50, True),
        ("\U0001f600" * 51, False),
        ("x" * 51, True),
        ("\u0000", True),
        ("e\u0301", True),
    ],
)
def test_a_zone_has_one_to_two_hundred_bytes(zone: str, taken: bool) -> None:
    """The limit is one of bytes of UTF-8, not of characters; no character is special."""
    value = encode_reading(zone, NOON, 1.5)
    assert one(value, zone.encode()) == ("" if taken else "malformed")
    assert one(READING + b" ", b"IT") == ""
    both = decode([zone.encode(), b"IT"], [value, READING], 4, ROME)
    assert both.zones == [zone, "IT"][0 if taken else 1 :]


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


@pytest.mark.parametrize(
    ("key", "zone", "partitions", "taken"),
    [
        (b"IT", "IT", 4, True),
        (b"it", "IT", 4, False),
        (b"IT ", "IT", 4, False),
        (b"", "IT", 1, False),
        (None, "IT", 1, True),
        (None, "IT", 4, False),
        ("é".encode(), "é", 4, True),
        ("é".encode(), "e\u0301", 4, False),
        ("é".encode("latin-1"), "é", 1, False),
        (b"\xff\xfe\x00", "IT", 1, False),
    ],
)
def test_the_key_is_the_zone(key: bytes | None, zone: str, partitions: int, taken: bool) -> None:
    """Byte for byte, without normalisation; only null, and only on one partition, is taken beside it."""
    assert one(encode_reading(zone, NOON, 1.0), key, partitions) == ("" if taken else "key_mismatch")


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


def test_an_empty_batch() -> None:
    """Nothing in, empty columns out."""
    decoded = decode([], [], 4, ROME)
    assert (decoded.zones, decoded.rejected) == ([], [])
    assert [column.dtype.str[1:] for column in (decoded.instants, decoded.demands, decoded.rows)] == [
        "i8",
        "f8",
        "i8",
    ]


def test_one_reading_alone_is_read_by_the_same_rule() -> None:
    """What a program that reads one message gets is what the columns hold."""
    assert decode_reading(READING) == ("IT", NOON, 31234.5)


@settings(max_examples=300)
@given(hostile())
def test_what_is_large_is_judged_by_the_same_rule(value: bytes) -> None:
    """A message of megabytes goes a road that keeps nothing of what is ignored: it says the same."""
    usual = decode([b"IT"], [value], 1, ROME)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("season.messages.LARGE", 0)
        patch.setattr("consumer.adapters.decode.LARGE", 0)
        large = decode([b"IT"], [value], 1, ROME)
    assert rows(large) == rows(usual)
    assert [rejected.reason for rejected in large.rejected] == [rejected.reason for rejected in usual.rejected]
    for rejected in large.rejected:
        assert rejected.error.isprintable()
        assert len(rejected.error) < 700


@pytest.mark.parametrize("end", [b"]}", b']}"', b'], "x": "\\ud800"}', b'], "zone": "IT"}', b'], "zone": 1}', b"}"])
def test_a_message_of_megabytes_takes_little_more_than_itself(end: bytes) -> None:
    """Whatever is wrong with it: two million arrays within it never become objects."""
    value = READING[:-1] + b', "x": [' + b"[]," * 2_000_000 + b"0" + end
    tracemalloc.start()
    decode([b"IT"], [value], 1, ROME)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * len(value) + 20 * 2**20
