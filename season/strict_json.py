"""JSON by the letter of RFC 8259, where Python's own reader is lenient: it decides on every doubtful message.

Beyond the grammar: the text is UTF-8 without a byte order mark, `NaN` and `Infinity` are not JSON, lone
surrogates are refused wherever they stand, also escaped ones, and so is nesting deeper than 500 levels. If a
name comes twice, the last one counts. A number of any size is accepted, and returned as its text.

A text of megabytes can hold gigabytes of values: `members` checks it by the same rules and keeps almost nothing.
"""

import codecs
import functools
import json
import re
from typing import Any

import msgspec
import numpy as np

MAX_DEPTH = 500
_CHUNK_BYTES = 2**18  # of a large text that are checked at once

# What each byte outside of strings adds to the depth.
_LEVELS = np.zeros(256, np.int8)
_LEVELS[list(b"[{")], _LEVELS[list(b"]}")] = 1, -1
# Whole escapes, so that the second half of `\\` starts none; group 1 is a surrogate without its other half.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\(u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|\\."
)


class Number(str):
    """The text of a JSON number: never of a string."""

    __slots__ = ()


def parse(data: bytes) -> object:
    """Return the value of a JSON text: dict, list, str, `Number`, bool or None.

    Raises `ValueError` with a sentence that says where the text stops being JSON.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    if text.startswith("\ufeff"):
        raise ValueError("not JSON: it begins with a byte order mark")
    if deeper_than_allowed(data):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos}") from None
    lone = next((match[1] for match in _ESCAPE.finditer(text) if match[1]), None)
    if lone:
        raise ValueError(f"a lone surrogate, \\{lone}")
    return value


def members(data: bytes, names: tuple[str, ...]) -> dict[str, object]:
    """Return the members of a JSON object that have these names, as `parse` does, but arrays and objects empty.

    Memory: a copy of `data` at most, besides those members. Raises `ValueError` with a sentence, also where the text
    is no object.
    """
    if not is_utf8(data):
        raise ValueError("not UTF-8")
    if deeper_than_allowed(data):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        found = _reader(names).decode(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON object: {error}") from None
    written = {name: getattr(found, name) for name in names}
    return {name: _shallow(raw) for name, raw in written.items() if raw is not msgspec.UNSET}


def is_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8."""
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK_BYTES):
            decoder.decode(data[start : start + _CHUNK_BYTES], final=start + _CHUNK_BYTES >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def deeper_than_allowed(data: bytes) -> bool:
    """Return whether the brackets outside of strings nest deeper than `MAX_DEPTH`.

    To be asked before a recursive reader starts: up to where `data` stops being JSON, the answer is right.
    """
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    depth = quotes = slashes = 0  # slashes: how many stand before the piece
    for start in range(0, len(data), _CHUNK_BYTES):
        piece = np.frombuffer(data[start : start + _CHUNK_BYTES], np.uint8)
        places = np.arange(len(piece))
        # The last place at or before each that is no backslash: an odd number of them before a quote makes it no end.
        others = np.maximum.accumulate(np.where(piece == ord("\\"), -1 - slashes, places))
        before = np.concatenate(([-1 - slashes], others[:-1]))
        ends = (piece == ord('"')) & ((places - before) % 2 == 1)
        strings = quotes + np.cumsum(ends)
        depths = depth + np.cumsum(np.where(strings % 2 == 0, _LEVELS[piece], 0), dtype=np.int64)
        if int(depths.max()) > MAX_DEPTH:
            return True
        depth, quotes, slashes = int(depths[-1]), int(strings[-1]) % 2, len(piece) - 1 - int(others[-1])
    return False


@functools.cache
def _reader(names: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Return a reader of members with these names; it only checks that the others are JSON."""
    fields = [(name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in names]
    return msgspec.json.Decoder(msgspec.defstruct("Members", fields, gc=False))


def _shallow(raw: msgspec.Raw) -> object:
    """Return a value that is known to be JSON; arrays and objects come empty."""
    written = bytes(raw)
    return {b"{": {}, b"[": []}[written[:1]] if written[:1] in b"{[" else parse(written)


def _refuse_constant(name: str) -> object:
    raise ValueError(f"not JSON: {name} is no number of JSON")


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)
