"""Strict JSON is held to the naive reader, which has the rules of RFC 8259 one by one."""

import contextlib
import time
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from season import strict_json
from tests import naive_json
from tests.hostile_json import READING, depth, hostile


def floats(value: object) -> object:
    """A parsed value with its numbers as 64-bit floats, in the form that Python shows them."""
    if isinstance(value, strict_json.Number):
        return 0.0 if value == "-0" else float(value)
    if isinstance(value, list):
        return [floats(item) for item in value]
    return {name: floats(item) for name, item in value.items()} if isinstance(value, dict) else value


@settings(max_examples=500)
@given(hostile())
def test_it_says_what_the_naive_reader_says(data: bytes) -> None:
    """Both take the same texts and read the same values from them, to the sign of a zero."""
    try:
        expected = repr(naive_json.parse(data))
    except naive_json.NotJsonError:
        with pytest.raises(ValueError, match=r"."):
            strict_json.parse(data)
    else:
        assert repr(floats(strict_json.parse(data))) == expected


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not JSON: Expecting value at character 0"),
        (b"\xef\xbb\xbf{}", "not JSON: it begins with a byte order mark"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b"[NaN]", "not JSON: NaN is no number of JSON"),
        (b"[-Infinity]", "not JSON: -Infinity is no number of JSON"),
        (b'["\\uDC00"]', "a lone surrogate, \\uDC00"),
        (b'{"\\ud800": 0}', "a lone surrogate, \\ud800"),
        (b'{"a": "\\ud800", "a": 0}', "a lone surrogate, \\ud800"),
        (b'{"a": 1} x', "not JSON: Extra data at character 9"),
        (b'["\x01"]', "not JSON: Invalid control character at at character 2"),
        (b"[" * 501 + b"]" * 501, "nested deeper than 500 levels"),
    ],
)
def test_what_is_no_json_is_told(data: bytes, sentence: str) -> None:
    """The sentence says what is wrong and where."""
    with pytest.raises(ValueError, match=r".") as caught:
        strict_json.parse(data)
    assert str(caught.value) == sentence


def test_five_hundred_levels_are_allowed_and_no_more() -> None:
    """The reading's own object is the first level; brackets in strings are none, and opened ones count at once."""
    assert strict_json.parse(depth(500))
    for data in (depth(501), b"[" * 501, READING[:-1] + b', "x": ' + b'{"a":' * 500):
        with pytest.raises(ValueError, match="deeper"):
            strict_json.parse(data)
    assert strict_json.parse(b'["' + b"[" * 2000 + b'\\"[", "{"]')


def test_an_escaped_backslash_escapes_no_surrogate() -> None:
    r"""`\\ud800` is a backslash and five letters."""
    assert strict_json.parse(rb'"\\ud800"') == "\\ud800"
    assert strict_json.parse(rb'"\ud83d\ude00\\"') == "\U0001f600\\"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("piece", [b"[", b"[]", b'"', b'\\"', b'["', b"{}", b"\\", b"\\ud800", b"9"])
def test_a_megabyte_takes_no_long_time(piece: bytes) -> None:
    """No hostile text of a megabyte, closed or not, makes the work grow faster than its length."""
    body = piece * (2**20 // len(piece))
    for data in (b'["' + body, b"[" * 600 + b'"' + body, b"[" + body + b"]"):
        before = time.process_time()
        with contextlib.suppress(ValueError):
            strict_json.parse(data)
        assert time.process_time() - before < 5


def shallow(value: object) -> object:
    """What `members` keeps of a value."""
    return type(value)() if isinstance(value, (dict, list)) else value


@settings(max_examples=500)
@given(hostile())
@example(b'{"zone": [1, {"a": 2}], "x": 3}')
@example(b'{"zone": "a", "x": "\\ud800"}')
@example(b'{"zone": "a", "zone": -0}')
@example(b'{"z\\u006fne": 1e400}')
@example(b"\xef\xbb\xbf{}")
def test_members_are_those_of_the_whole_text(data: bytes) -> None:
    """The reader that keeps almost nothing takes the same texts, and gives the same members."""
    names = ("zone", "timestamp", "demand_mw")
    try:
        whole = strict_json.parse(data)
    except ValueError:
        whole = None
    if not isinstance(whole, dict):
        with pytest.raises(ValueError, match=r"not|nested"):
            strict_json.members(data, names)
        return
    found = strict_json.members(data, names)
    assert found == {name: shallow(value) for name, value in whole.items() if name in names}
    assert [type(found[name]) for name in found] == [type(whole[name]) for name in found]


@pytest.mark.parametrize("inner", [b"[],", b'{"a":0},', b'"\xf0\x9f\x98\x80",', b"1e400,"])
def test_what_a_large_text_holds_takes_no_memory(inner: bytes) -> None:
    """Megabytes that would be fifty times as many as values are checked in two copies' room, whatever they hold."""
    data = b'{"x": [' + inner * (8 * 2**20 // len(inner)) + b'0], "zone": "a"}'
    tracemalloc.start()
    assert strict_json.members(data, ("zone",)) == {"zone": "a"}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * len(data) + 16 * strict_json._CHUNK_BYTES


def test_utf8_is_checked_over_the_edges_of_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A character that two pieces share is one, and one that is cut off at the end is none."""
    monkeypatch.setattr(strict_json, "_CHUNK_BYTES", 3)
    for data in ("aé€😀" * 5).encode(), "é".encode(), b"ascii":
        assert strict_json.is_utf8(data)
        assert strict_json.is_utf8(data[:-1]) == data.isascii()
    assert not strict_json.is_utf8(b"aaa\xed\xa0\x80aaa")
    for levels in (500, 501):
        assert strict_json.deeper_than_allowed(b"[" * levels) == (levels > 500)
        assert strict_json.deeper_than_allowed(b"[]" * 700 + b"[" * levels) == (levels > 500)


marks = st.sampled_from([b"[", b"{", b"]", b"}", b'"', b'"a"', b'"\\\\"', b'"\\"', b'\\"', b"x"])


@settings(max_examples=400)
@given(st.lists(marks), st.integers(1, 9))
def test_depth_is_that_of_the_brackets_outside_of_strings(tokens: list[bytes], chunk: int) -> None:
    """Counted byte by byte, wherever a large text is cut, strings and escapes included."""
    data, depth_, deepest, quoted, escaped = b"".join(tokens), 0, 0, False, False
    for byte in data:
        quoted ^= byte == ord('"') and not escaped
        escaped = byte == ord("\\") and not escaped
        if not quoted:
            depth_ += (byte in b"[{") - (byte in b"]}")
            deepest = max(deepest, depth_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_json, "_CHUNK_BYTES", chunk)
        for limit in (max(0, deepest - 1), deepest):
            patch.setattr(strict_json, "MAX_DEPTH", limit)
            assert strict_json.deeper_than_allowed(data) == (deepest > limit)
