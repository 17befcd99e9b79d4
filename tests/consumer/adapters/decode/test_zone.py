"""Which names a zone may have, and that the key is it."""

import pytest

from consumer.adapters.decode import decode
from season.messages import encode_reading
from tests.consumer.adapters.decode.made import NOON, ROME, one, rows
from tests.hostile_json import READING


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
    assert [name for _, name, *_ in rows(both)] == [zone, "IT"][0 if taken else 1 :]


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
