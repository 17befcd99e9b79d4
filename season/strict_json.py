"""JSON by the letter of RFC 8259, where Python's own reader is lenient: the judge of every doubtful message.

Beyond the grammar: the text is UTF-8 without a byte order mark, `NaN` and `Infinity` are not JSON, lone
surrogates are refused wherever they stand, also escaped ones, and so is nesting deeper than 500 levels. Of a
doubled name the last counts. A number of any size is taken, and handed over as its text.
"""

import json
import re

import numpy as np

MAX_DEPTH = 500

# The end of a string may be missing: then the rest is one, and no later quote is tried as another's start.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
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
    """The value of a JSON text: dict, list, str, `Number`, bool or None.

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


def deeper_than_allowed(data: bytes) -> bool:
    """Whether the brackets outside of strings nest deeper than `MAX_DEPTH`.

    To be asked before a recursive reader starts: up to where `data` stops being JSON, the answer is right.
    """
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    marks = np.frombuffer(_STRING.sub(b"", data), np.uint8)
    opened = ((marks == ord("[")) | (marks == ord("{"))).astype(np.int64)
    closed = (marks == ord("]")) | (marks == ord("}"))
    return int(np.cumsum(opened - closed).max(initial=0)) > MAX_DEPTH


def _refuse_constant(name: str) -> object:
    raise ValueError(f"not JSON: {name} is no number of JSON")


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)
