"""Readings a second that are decided and kept in a changelog with a commit each 30 ms, beside a record for each zone.

Both decide the same readings with the same step, and write in transactions to a real Apache Kafka. The baseline
writes what stores of Kafka Streams write: for each zone that changed a record of its own with all of its windows,
here packed in the fewest bytes. Then, without Kafka, what one commit of 500 changed readings writes and takes,
however many windows are open.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from benchmarks.columns import columns
from benchmarks.tables import TableRow, say, table
from consumer.adapters.transaction import Transactions
from consumer.core.changelog import Changelog, Record
from consumer.core.changes import Changes
from consumer.core.outcome import Rules
from consumer.core.record import Origin
from consumer.core.state import State
from kafka_local import Broker
from season.calendar import Calendar

ZONES = 50_000
HOURS = 3  # of every zone in one run
RUNS = 3
BATCH = 5000
COMMIT = 0.03
RULES = Rules(grace_period=86400, max_filled=2, max_future=3600.0)
MIDNIGHT = 1622498400  # 2021-06-01 in Rome
NOW = 2e9
ROME = Calendar("Europe/Rome")
ORIGIN = Origin("0123456789abcdefghijkA", 10**9, "Europe/Rome", "00:00")
CONFIG = {"max.message.bytes": str(2**23), "compression.type": "lz4"}  # as of the changelog that we create
NAMES = [f"zone-{number:06d}" for number in range(ZONES)]

Records = Callable[[State, Changes], list[Record]]


class ChangelogWriter:
    """Decides hour by hour and commits what `records` makes of it to a topic of its own."""

    def __init__(self, servers: str, name: str, records: Records) -> None:
        admin = AdminClient({"bootstrap.servers": servers})
        admin.create_topics([NewTopic(name, 1, config=CONFIG)])[name].result()
        self._transactions = Transactions({"KAFKA_BOOTSTRAP_SERVERS": servers}, name, lambda: False)
        self._transactions.acquire_id(lambda _: None)
        self._member = Consumer({"bootstrap.servers": servers, "group.id": name})
        self._name, self._records = name, records
        self._state = State(ROME)
        self._hour = 0
        self.written = 0

    def run(self) -> float:
        """Return the thousands of readings a second over the next hours of all zones."""
        random = np.random.default_rng(self._hour)
        hours = [random.normal(30000, 8000, ZONES).round(1) for _ in range(HOURS)]
        began = time.perf_counter()
        due = began + COMMIT
        for demands in hours:
            for first in range(0, ZONES, BATCH):
                rows = slice(first, first + BATCH)
                instants = np.full(BATCH, MIDNIGHT + 3600 * self._hour)
                self._state.read(columns(NAMES[rows], instants, demands[rows], ROME), NOW, RULES)
                if time.perf_counter() >= due:
                    self._commit()
                    due = time.perf_counter() + COMMIT
            self._hour += 1
        if self._state.changed:
            self._commit()
        return HOURS * ZONES / (time.perf_counter() - began) / 1000

    def close(self) -> None:
        """End the clients."""
        self._member.close()

    def _commit(self) -> None:
        records = self._records(self._state, self._state.changes())
        self.written += sum(len(key) + len(value or b"") for key, value in records)
        outputs = [(self._name, key, value, None, 0) for key, value in records]
        self._transactions.start(outputs, "", {}, self._member.consumer_group_metadata())
        self._transactions.finish()
        self._state.commit()


def main() -> None:
    """Print the table."""
    logging.disable(logging.WARNING)  # of the Kafka client: a new broker is not ready at once
    with Broker() as broker:
        paces, written, disk = _measured(broker)
    name = f"{ZONES:,} zones, a commit each {COMMIT * 1000:.0f} ms"
    title = "Keeping the open windows: thousands of readings a second"
    table(title, ["changelog", "record for each zone"], [TableRow(name, list(zip(*paces, strict=True)))])
    for what, packed, on_disk in zip(("changelog", "record for each zone"), written, disk, strict=True):
        say(f"{what}: {packed:.0f} bytes a reading, {on_disk:.0f} on the broker's disk")
    for zones in (500, 25_000, 250_000):
        say(_one_commit(zones))
    say("")


def _measured(broker: Broker) -> tuple[list[tuple[float, float]], list[float], list[float]]:
    """Return the pace of both, run by run, and the bytes a reading of each, uncompressed and on the broker's disk."""
    log = Changelog()
    names = ("differences", "zones")
    ours = ChangelogWriter(
        broker.bootstrap_servers, names[0], lambda state, changes: log.records(state, changes, ORIGIN)
    )
    plain = ChangelogWriter(broker.bootstrap_servers, names[1], record_each)
    paces = [(ours.run(), plain.run()) for _ in range(RUNS + 1)][1:]
    for writer in (ours, plain):
        writer.close()
    readings = (RUNS + 1) * HOURS * ZONES
    logs = [Path(broker.folder, "data", f"{name}-0").glob("*.log") for name in names]
    disk = [sum(file.stat().st_size for file in files) / readings for files in logs]
    return paces, [writer.written / readings for writer in (ours, plain)], disk


def record_each(state: State, changes: Changes) -> list[Record]:
    """Return a record for each zone that changed: its times, and day, revision and hours of its windows."""
    zones = np.unique(np.concatenate([changes.zones, changes.cell_zones, changes.window_zones]))
    rows = state.rows_of(zones)
    windows, values = state.windows_at(rows), state.values_at(rows)
    ends = np.searchsorted(windows["zone"], zones, "right")
    packed = np.hstack([windows["day"][:, None], windows["revision"][:, None], values.view(np.int64)])
    times = np.stack([state.stream[zones], state.watermark[zones]], axis=1)
    records: list[Record] = []
    start = 0
    for index, (name, end) in enumerate(zip(state.names.texts(zones), ends.tolist(), strict=True)):
        records.append((name.encode(), times[index].tobytes() + packed[start:end].tobytes()))
        start = end
    return records


def _one_commit(zones: int) -> str:
    """Return a line on commits of 500 readings while each zone has two open windows: bytes and milliseconds."""
    state, log, random = State(ROME), Changelog(), np.random.default_rng(0)
    names = [f"zone-{number:06d}" for number in range(zones)]
    for hour in (0, 24):
        instants = np.full(zones, MIDNIGHT + 3600 * hour)
        state.read(columns(names, instants, random.normal(size=zones), ROME), NOW, RULES)
        state.commit()
    sizes, times = [], []
    for commit in range(400):
        picked = random.integers(0, zones, 500)
        instants = np.full(500, MIDNIGHT + 3600 * (25 + commit // 40))
        state.read(columns([names[i] for i in picked], instants, random.normal(size=500), ROME), NOW, RULES)
        began = time.perf_counter()
        records = log.records(state, state.changes(), ORIGIN)
        state.commit()
        times.append((time.perf_counter() - began) * 1000)
        sizes.append(sum(len(value or b"") for _, value in records) / 1000)
    return (
        f"a commit of 500 readings, {state.open_windows:,} windows open: {np.mean(sizes):.1f} kB on average and "
        f"{max(sizes):.0f} at most; {np.mean(times):.2f} ms on average and {max(times):.1f} at most"
    )
