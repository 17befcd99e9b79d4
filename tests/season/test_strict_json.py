"""Strict JSON is held to the naive reader, which has the rules of RFC 8259 one by one."""

import contextlib
import time

import pytest
from hypothesis import given, settings

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


@settings(max_examples=500, deadline=None)
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


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", [b"[", b"[]", b'"', b'\\"', b'["', b"{}", b"\\", b"\\ud800", b"9"])
def test_a_megabyte_takes_no_long_time(piece: bytes) -> None:
    """No hostile text of a megabyte, closed or not, makes the work grow faster than its length."""
    body = piece * (2**20 // len(piece))
    for data in (b'["' + body, b"[" * 600 + b'"' + body, b"[" + body + b"]"):
        before = time.monotonic()
        with contextlib.suppress(ValueError):
            strict_json.parse(data)
        assert time.monotonic() - before < 2
