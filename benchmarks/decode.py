"""Nanoseconds a reading from bytes to columns, beside `json.loads` alone: `python -m benchmarks.decode`.

The baseline only parses: no field is checked, no timestamp read, no key compared.
"""

import json
import time
from collections.abc import Callable

from consumer.adapters.decode import decode
from season.calendar import Calendar
from season.messages import encode_reading

BATCH = 5000  # what the service takes at a time
ROUNDS = 30
START = 1622505600


def best(work: Callable[[], object]) -> float:
    """Nanoseconds a reading, of the fastest round: the others were disturbed."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds) / BATCH * 1e9


def batch(hours: int) -> tuple[list[bytes], list[bytes]]:
    """Keys and values of readings that share so many different hours."""
    zones = [f"zone-{i % 2000:04d}" for i in range(BATCH)]
    values = [
        encode_reading(zone, START + 3600 * (i % hours), round(20000 + i * 1.7, 1)) for i, zone in enumerate(zones)
    ]
    return [zone.encode() for zone in zones], values


def main() -> None:
    """Prints a line for each kind of batch."""
    calendar = Calendar("Europe/Rome")
    print("nanoseconds a reading                        decode   json.loads   ratio")  # noqa: T201
    kinds = {"all zones, hour by hour": (1, b""), "each zone, year by year": (BATCH, b"")}
    kinds["hour by hour, one message in it is broken"] = (1, b"{")
    for kind, (hours, broken) in kinds.items():
        keys, values = batch(hours)
        baseline = best(lambda values=values: [json.loads(value) for value in values])  # type: ignore[misc]
        if broken:
            values = [*values[:-1], broken]
        ours = best(lambda keys=keys, values=values: decode(keys, values, 4, calendar))  # type: ignore[misc]
        print(f"{kind:42} {ours:8.0f} {baseline:12.0f} {baseline / ours:7.1f}")  # noqa: T201


if __name__ == "__main__":
    main()
