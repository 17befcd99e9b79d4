"""`python -m tests.fuzz.flood --inputs 10000000 --seed 1`: mutated messages by the thousand, through both roads.

Each batch is decoded as columns, and every message of it is held to the slow road; some are also held to the naive
reader of JSON. Prints what became of how many, and the process's memory at the start, in the middle and at the end.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from season import instants
from tests.fuzz import laws
from tests.hostile_json import FIELDS, READING, TOKENS, depth

BATCHES = (1, 3, 100, 1000, 5000)
NAIVE_EACH = 50  # one message in so many is read by the naive reader too: it takes 100 times as long

STAMPS = [
    "1969-12-31T23:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:01",
    "1970-01-01T01:00:00+01:00", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00-23:59",
    "9999-12-31T23:00:00Z", "9999-12-31T23:00:00-23:59", "9999-12-31T23:00:00-23:00", "10000-01-01T00:00:00Z",
    "2024-02-29T12:00:00Z", "2023-02-29T12:00:00Z", "2100-02-29T00:00:00Z", "2000-02-29T00:00:00Z",
    "2021-06-01t13:00:00z", "2021-06-01 13:00:00.000Z", "2021-06-01T13:00:00.001Z", "2021-06-01T13:15:00Z",
    "2021-06-01T24:00:00Z", "2021-06-01T13:00:60Z", "2021-06-01T13:00:00+0200", "2021-06-01T13:00:00-00:00",
    "2021-W22-2", "2021-06-01T13:00:00", "2021-06-01T13:00Z", "", "x", "\u0661021-06-01T13:00:00Z",
]  # fmt: skip
NUMBERS = [
    "0", "-0", "-0.0", "0.0", "1", "1.5", "-5e-324", "5e-324", "2.2250738585072014e-308", "1e-45", "1.4e-45",
    "3.4028234663852886e38", "3.4028235677973362e38", "3.4028235677973366e38", "-3.4028235677973366e38",
    "340282346638528859811704183484516925440", str(2**128 - 2**103), str(2**128 - 2**103 - 1), "1e39", "1e308",
    "1.7976931348623157e308", "1.7976931348623159e308", "1e400", "-1e400", "1" + "0" * 400, "9" * 400, "1e-400",
    "0." + "0" * 400 + "1", "1e5", "1E+5", "1e+05", "01", "1.", ".5", "+1", "- 1", "0x1", "1_0", "NaN", "Infinity",
    "true", "null", '"1"', "[1]", "{}", "9007199254740993", "18446744073709551616", "0.1", "1e22", "1e23",
]  # fmt: skip
ZONES = [
    "IT",
    "é",
    "e\u0301",
    "x" * 200,
    "x" * 201,
    "é" * 100,
    "é" * 101,
    "\U0001f600" * 50,
    "\x00",
    "",
    " ",
    '"',
    "\\",
]
Message = tuple[bytes | None, bytes | None]


class Flood:
    """An endless source of messages, the same for each seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._kinds: list[Callable[[], Message]] = [
            self._good, self._good, self._good, self._field, self._field, self._mutated, self._mutated,
            self._mutated, self._ignored, self._ignored, self._bytes, self._tokens, self._deep, self._key,
        ]  # fmt: skip

    def batch(self) -> tuple[list[bytes | None], list[bytes | None]]:
        """Keys and values of one batch; one in three holds readings alone, which the fast road takes at once."""
        size = self._random.choice(BATCHES)
        kinds = [self._good] if self._random.random() < 0.33 else self._kinds
        messages = [self._random.choice(kinds)() for _ in range(size)]
        return [key for key, _ in messages], [value for _, value in messages]

    def _zone(self) -> str:
        pick = self._random.random()
        if pick < 0.6:
            return f"zone-{self._random.randrange(2000)}"
        if pick < 0.8:
            return "".join(map(chr, self._random.choices(range(32, 0x2FFF), k=self._random.randrange(1, 60))))
        return self._random.choice(ZONES)

    def _good(self) -> Message:
        zone = self._zone() or "IT"
        stamp = instants.format(self._random.randrange(0, 3_000_000) * 3600)
        demand = repr(self._random.uniform(-1e6, 1e6)) if self._random.random() < 0.9 else "3.4028234663852886e38"
        text = f'{{"zone": {json.dumps(zone)}, "timestamp": "{stamp}", "demand_mw": {demand}}}'
        return zone.encode(), text.encode()

    def _field(self) -> Message:
        """A reading with an odd stamp, number or zone, fields in any order, and further ones."""
        pick = self._random
        zone = self._zone()
        fields = [
            f'"zone":{json.dumps(zone, ensure_ascii=pick.random() < 0.5)}',
            f'"timestamp":{json.dumps(pick.choice(STAMPS))}',
            f'"demand_mw":{pick.choice(NUMBERS)}',
        ]
        if pick.random() < 0.3:
            fields.append(f'"x":{pick.choice(NUMBERS)}')
        pick.shuffle(fields)
        return zone.encode(), ("{" + ",".join(fields) + "}").encode("utf-8", "surrogatepass")

    def _mutated(self) -> Message:
        key, value = self._random.choice([self._good, self._field])()
        data = bytearray(value or b"")
        for _ in range(self._random.randrange(1, 4)):
            at = self._random.randrange(len(data) + 1)
            match self._random.randrange(5):
                case 0:
                    data[at:at] = self._random.choice(TOKENS)
                case 1:
                    data[at : at + self._random.randrange(4)] = b""
                case 2:
                    data[at : at + 1] = self._random.randbytes(1)
                case 3 if data:
                    data[at % len(data)] ^= 1 << self._random.randrange(8)
                case _:
                    del data[at:]
        return key, bytes(data)

    def _ignored(self) -> Message:
        """A reading with a further or doubled field before or behind it, whose value may be anything."""
        key, value = self._good()
        name = self._random.choice([b"x", b"zone", b"demand_mw", b"timestamp", b"z\\u006fne", b"\xff", b"\\ud800"])
        inner = b"".join(self._random.choices(TOKENS, k=self._random.randrange(3)))
        more = b'"' + name + b'":' + self._random.choice([b'"' + inner + b'"', inner, b"[" + inner + b"]"])
        whole = value or b"{}"
        return key, self._random.choice([b"{" + more + b"," + whole[1:], whole[:-1] + b"," + more + b"}"])

    def _bytes(self) -> Message:
        return self._random.randbytes(2), self._random.randbytes(self._random.randrange(64))

    def _tokens(self) -> Message:
        return b"IT", b"".join(self._random.choices(TOKENS, k=self._random.randrange(10)))

    def _deep(self) -> Message:
        levels = self._random.choice([1, 2, 3, 20, 499, 500, 501]) if self._random.random() < 0.05 else 3
        return b"IT", depth(levels)

    def _key(self) -> Message:
        keys = [b"IT", None, b"", b"it", b"\xff", b"IT "]
        values = [None, b"", READING, b"{" + FIELDS + b',"zone":"\xc3\xa9"}']
        return self._random.choice(keys), self._random.choice(values)


def resident() -> int:
    """The process's resident memory, in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 2**20


def run(inputs: int, seed: int) -> None:
    """Floods until so many inputs are done; raises AssertionError with the first that breaks a law."""
    flood, done, naive, reasons = Flood(seed), 0, 0, Counter[str]()
    began, told = time.monotonic(), 0
    while done < inputs:
        if done >= told * inputs // 10:
            rate = done / max(time.monotonic() - began, 1e-9)
            sys.stdout.write(f"{done:>12,} inputs  {resident()} MiB  {rate:,.0f}/s\n")
            sys.stdout.flush()
            told += 1
        keys, values = flood.batch()
        partitions, calendar = (1, laws.KATHMANDU) if done % 7 == 0 else (4, laws.ROME)
        reasons += laws.batch(keys, values, partitions, calendar)
        for value in values[::NAIVE_EACH]:
            naive += laws.text(value) if value is not None else 0
        done += len(keys)
    sys.stdout.write(f"{done:>12,} inputs  {resident()} MiB  in {time.monotonic() - began:.0f} s, seed {seed}\n")
    told_of = ", ".join(f"{count:,} {reason or 'accepted'}" for reason, count in reasons.most_common())
    sys.stdout.write(f"{told_of}; {naive:,} read by the naive reader as well\n")


def main() -> None:
    """Reads the options."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.flood", description="Mutated messages, both roads.")
    parser.add_argument("--inputs", type=int, default=10_000_000, help="how many (10,000,000)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (1)")
    options = parser.parse_args()
    run(options.inputs, options.seed)


if __name__ == "__main__":
    main()
