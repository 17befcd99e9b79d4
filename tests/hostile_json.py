"""Bytes that go for a JSON decoder's weak spots: Hypothesis strategies that several suites share."""

import json

from hypothesis import strategies as st

FIELDS = b'"zone": "IT", "timestamp": "2021-06-01T13:00:00Z", "demand_mw": 31234.5'
READING = b"{" + FIELDS + b"}"
TOKENS = [
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b" ", b"\n", b"\t", b"\x0b", b"\x0c", b"\x00",
    b"\x1f", b"\x7f", b"true", b"false", b"null", b"nul", b"NaN", b"Infinity", b"-Infinity", b"-", b"+1",
    b"01", b"-0", b"-0.0", b"1.", b".5", b"1e5", b"1E+2", b"1e400", b"-1e400", b"9" * 400, b"1e-400",
    b"0.1", b"3.4028235677973366e38", b"0x10", b'"zone"', b'"zo\\u006ee":"x"', b'"zone":1',
    b'"zone":"a"', b'"timestamp":0', b'"demand_mw":"1"', b'"demand_mw":true', b'"demand_mw":1',
    b'"x":"\\ud83d\\ude00"', b"\\ud800", b"\\udc00", b"\\uD83D\\uDE00", b"\\uDE00\\uD83D", b"\\\\ud800",
    b"\\u12g4", b"\\x41", b"\\u0000", b"\\/", b"\\\\", b'\\"', b"\xed\xa0\x80", b"\xed\xb0\x80",
    b"\xc0\x80", b"\xff", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98\x80", b"\xef\xbb\xbf", b"\xc3\xa9",
    b"\xe2\x80\xa8", b"/*c*/", b"//", b"'a'",
]  # fmt: skip


def depth(levels: int) -> bytes:
    """A reading in which an ignored field makes so many levels, the reading's own object among them."""
    return b"{" + FIELDS + b', "x": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def json_values() -> st.SearchStrategy[object]:
    """Any value that Python can write as JSON."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


def readings() -> st.SearchStrategy[bytes]:
    """Readings with usual and odd values in all fields, further ones, and every way to write them."""

    def write(fields: dict[str, object], ascii_only: bool, indent: int | None) -> bytes:
        return json.dumps(fields, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")

    names = st.sampled_from(["zone", "timestamp", "demand_mw", "x", "Zone", "zone\u0000"]) | st.text(max_size=3)
    usual = st.fixed_dictionaries(
        {
            "zone": st.text(min_size=1, max_size=60) | json_values(),
            "timestamp": st.just("2021-06-01T13:00:00Z") | json_values(),
            "demand_mw": st.floats() | st.integers() | json_values(),
        }
    )
    fields = st.builds(dict.__or__, usual, st.dictionaries(names, json_values(), max_size=2))
    return st.builds(write, fields, st.booleans(), st.none() | st.integers(0, 2))


@st.composite
def mutated(draw: st.DrawFn, start: st.SearchStrategy[bytes]) -> bytes:
    """A text with a few tokens put into it, over it, or pieces taken out."""
    data = draw(start)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.sampled_from([0, 0, 0, 1, 2, 8])))
        data = data[:at] + draw(st.sampled_from(TOKENS) | st.just(b"")) + data[end:]
    return data


@st.composite
def doubled(draw: st.DrawFn) -> bytes:
    """A reading with further fields before and behind, among them doubled names and ignored hostile values."""
    values = [b"1", b'"a"', b'"2021-06-01T13:00:00Z"', b"{}", b"[[]]", b"null", b"1e400", b"9" * 400, b'"\\ud800"']
    values += [
        b'"\\udfff"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'{"\\ud800": 1}',
        b'"\\ud83d\\ude00"',
        b"tru",
        b"-0",
        b"1.0.0",
    ]
    names = [b'"zone"', b'"timestamp"', b'"demand_mw"', b'"x"', b'"z\\u006fne"', b'"\\ud800"', b'"\xff"']
    field = st.builds(lambda name, value: name + b":" + value, st.sampled_from(names), st.sampled_from(values))
    fields = [*draw(st.lists(field, max_size=3)), FIELDS, *draw(st.lists(field, max_size=2))]
    return b"{" + b", ".join(fields) + b"}"


def hostile() -> st.SearchStrategy[bytes]:
    """Anything that may stand on a topic."""
    deep = st.builds(depth, st.sampled_from([1, 2, 499, 500, 501, 502, 900, 5000]))
    strings = st.builds(lambda n: b"{" + FIELDS + b', "x": "' + b"[" * n + b'"}', st.sampled_from([1, 501, 2000]))
    valid = st.just(READING) | readings() | doubled() | deep | strings
    return (
        valid | mutated(valid) | st.binary(max_size=40) | st.lists(st.sampled_from(TOKENS), max_size=8).map(b"".join)
    )
