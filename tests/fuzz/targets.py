"""What the fuzzer calls with bytes, and what it starts from: each target makes a law's input of them."""

import json
from collections.abc import Callable, Iterator

import numpy as np

from consumer.adapters.model import Model, load
from consumer.core import record
from consumer.core.changes import Changes
from consumer.core.record import Origin
from season import instants
from tests.fuzz import laws
from tests.fuzz.flood import NUMBERS, STAMPS, ZONES, Flood
from tests.hostile_json import READING, TOKENS, depth

WORDS = [word for word in TOKENS if len(word) < 60] + [number.encode() for number in NUMBERS if len(number) < 60]
WORDS += [stamp.encode() for stamp in STAMPS if stamp] + [b'"renewed"', b'"lengths"', b'"names"', b'"offset"', b"-1"]

_NOW = float(instants.parse("2021-06-20T00:00:00Z"))
_START = instants.parse("2021-05-31T22:00:00Z")
_DAYS = 16
_model: list[Model] = []


def decode(data: bytes) -> None:
    """A message among others: two bytes say how, the rest is its value."""
    how, value = data[:2].ljust(2, b"\0"), data[2:]
    partitions, calendar = (1, laws.KATHMANDU) if how[0] & 1 else (4, laws.ROME)
    key = [b"IT", None, how, b"zone"][how[1] & 3]
    around = how[0] >> 1 & 3  # a good reading before it, behind it
    keys = [b"IT"] * (around & 1) + [key] + [b"IT"] * (around >> 1)
    values = [READING] * (around & 1) + [value] + [READING] * (around >> 1)
    laws.batch(keys, values, partitions, calendar)


def json_(data: bytes) -> None:
    """A JSON text."""
    laws.text(data)


def stamps(data: bytes) -> None:
    """A timestamp, alone and in a reading."""
    text = data.decode("utf-8", "replace")
    laws.stamp(text)
    laws.batch([b"IT"], [laws.reading("IT", text, 1.5)], 4, laws.ROME)


def changelog(data: bytes) -> None:
    """A changelog record: as it is, or with a checksum that fits; two bytes say how long its head is."""
    if len(data) < 3 or data[0] & 1:
        laws.changelog(data)
        return
    size = int.from_bytes(data[1:3], "little")
    laws.changelog(laws.sealed(data[3 : 3 + size], data[3 + size :]))


def stream(data: bytes) -> None:
    """A partition's messages, four bytes each, in batches whose sizes are the first bytes."""
    if not _model:
        _model.append(load(str(laws.MODEL)))
    sizes = data[:4].ljust(4, b"\1")
    messages = [_message(data[at : at + 4]) for at in range(4, len(data) - 3, 4)]
    laws.stream((size & 31 for size in iter(lambda: sizes[0], None)), messages, _model[0], _NOW)


def seeds(name: str) -> Iterator[bytes]:
    """What the fuzzer starts from."""
    flood = Flood(5)
    if name == "changelog":
        yield from _records()
    elif name == "stream":
        yield bytes([3] * 4) + b"".join(bytes([0, hour, hour, 0]) for hour in range(240))
        yield bytes([30] * 4) + b"".join(bytes([hour % 3, hour, 7, 0]) for hour in range(250))
    elif name == "stamps":
        yield from (stamp.encode() for stamp in [*STAMPS, "2021-06-01T13:00:00Z"])
    else:
        before = b"\0\0" if name == "decode" else b""
        yield from (before + value for value in (READING, depth(3), depth(500), depth(501)))
        for _ in range(3):
            yield from (before + value for value in flood.batch()[1][:40] if value is not None)


def _message(made: bytes) -> tuple[bytes | None, bytes | None]:
    """One message of four bytes: zone and hour, value, and what is wrong with it."""
    zone, hour, value, wrong = made
    name = ["IT", "é", *ZONES][zone % (len(ZONES) + 2)]
    key: bytes | None = name.encode()
    at = _START + (hour + 256 * (zone >> 6)) % (24 * _DAYS) * 3600
    text: bytes | None = laws.reading(name, instants.format(at), float(value) * 1.1)
    if wrong == 1:
        key = None
    elif wrong == 2:
        key = b"other"
    elif wrong == 3:
        text = b"{"
    elif wrong == 4:
        text = None
    elif wrong == 5:
        text = laws.reading(name, STAMPS[hour % len(STAMPS)], value)
    elif wrong == 6:
        number = NUMBERS[value % len(NUMBERS)]
        text = f'{{"zone":{json.dumps(name)},"timestamp":"{instants.format(at)}","demand_mw":{number}}}'.encode()
    elif wrong == 7:
        text = laws.reading(name, instants.format(at + 86400 * 30 * value), value)
    return key, text


def _records() -> Iterator[bytes]:
    """Heads and columns of records, with what says how they are put together."""
    origin = Origin("id", 7, "Europe/Rome", "00:00")
    one, two = np.array([0]), np.array([0, 1])
    cells = Changes(cell_zones=two, cell_days=two + 18000, cell_indices=two, cells=np.array([1.0, 2.0]))
    times = Changes(names=("IT", "é"), zones=two, stream=two + 10**9, watermark=two)
    window = Changes(window_zones=one, window_days=one, revisions=one, hours=np.ones((1, 24)), renewed=(0, 1))
    for changes in (Changes(), cells, times, window):
        whole = record.encode(changes, origin)
        size = int.from_bytes(whole[7:11], "little")
        yield b"\0" + size.to_bytes(2, "little") + whole[11:-4]
        yield whole


TARGETS: dict[str, Callable[[bytes], None]] = {
    "decode": decode,
    "json": json_,
    "stamps": stamps,
    "changelog": changelog,
    "stream": stream,
}
