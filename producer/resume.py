"""Finds each zone's latest timestamp on the topic, so that `--resume` sends only later readings."""

import time
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from season import instants
from season.cli import StoppedError
from season.client.admin import Admin, Position
from season.client.consumer import BEGINNING, PartitionEvent, TopicConsumer, consumer_client
from season.client.errors import ClientError
from season.fault import Properties
from season.kafka import debug_logger, groupless, merged_properties, refuse, refuse_reader
from season.messages import Reading, ReadingError, decode_reading
from season.standstill import STATISTICS, Standstills
from season.topics import Topic
from season.trial import UNREADABLE

_FAST = msgspec.json.Decoder(Reading)
_BATCH_MESSAGES = 2000
_POLL_S = 0.2
_TRIAL_POLL_S = 0.01  # the longest wait while a trial runs
_REPORT_INTERVAL_S = 5.0


def properties(environ: Mapping[str, str]) -> Properties:
    """Return the client's properties: it reads committed messages alone, and stores nothing for a group."""
    ours = {
        "group.id": "season-producer",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "fetch.queue.backoff.ms": 1,
        # Bounds what the client fetches ahead: the broker can be read faster than it is decoded here.
        "queued.max.messages.kbytes": 16 * 1024,
        **STATISTICS,
    }
    return merged_properties(consumer_client, environ, ours)


def latest(
    admin: Admin, made: Properties, topic: Topic, log: Callable[[str], None], stopped: Callable[[], bool]
) -> dict[str, int]:
    """Return the latest instant (epoch seconds) of each zone on the topic, read from its beginning to its end now.

    Only readings by every rule for their JSON count, under the key of their zone; messages that the client can
    neither unpack nor parse are skipped. Memory: one number a zone. Raises RefusedError and StoppedError.
    """
    ends = _ends(admin, topic, stopped)
    scan = _Scan(made, topic, ends, log)
    try:
        progress_at = time.monotonic()
        while ends:
            if stopped():
                raise StoppedError
            if scan.poll():
                progress_at = time.monotonic()
            elif time.monotonic() - progress_at > _REPORT_INTERVAL_S:
                progress_at = time.monotonic()
                log("waiting for the topic's end: for the broker, or for another program's open transaction")
        return scan.found
    finally:
        scan.close()


class _Scan:
    """Reads a topic from its beginning, and collects its zones; a partition that is read is removed from `ends`."""

    def __init__(self, made: Properties, topic: Topic, ends: dict[int, int], log: Callable[[str], None]) -> None:
        self.found: dict[str, int] = {}
        self._topic, self._ends, self._log = topic, ends, log
        self._errors: list[ClientError] = []
        quiet = {**made, "logger": debug_logger(made, log)}
        self._standstills = Standstills(groupless(quiet), topic.name, self._warn)
        self._consumer = TopicConsumer(
            quiet, topic.name, on_error=self._errors.append, on_statistics=self._standstills.note_statistics
        )
        self._consumer.assign(dict.fromkeys(ends, BEGINNING))
        for partition in ends:
            self._standstills.begin(partition, 0)

    def poll(self) -> bool:
        """Read the messages that are there; return whether there were any. Raises RefusedError."""
        refuse_reader(self._errors)
        wait_s = _TRIAL_POLL_S if self._standstills.trying else _POLL_S
        batch = self._consumer.poll(wait_s, _BATCH_MESSAGES)
        for partition, messages in batch.runs:
            self._standstills.came(partition, messages[-1].offset())
            for message in messages:
                _note(self.found, message.key(), message.value(), keyless=self._topic.partitions == 1)
        for event in batch.events:
            self._note_event(event)
        for partition, unreadable in self._standstills.proceed().items():
            self._pass_over(partition, unreadable)
        return bool(batch)

    def close(self) -> None:
        """End the client."""
        self._standstills.close()
        self._consumer.close()

    def _note_event(self, event: PartitionEvent) -> None:
        partition, error = event.partition, event.error
        if event.is_end:
            self._standstills.came(partition, None)
            # Until an open transaction has ended, a partition seems to end before it.
            if partition in self._ends and event.offset >= self._ends[partition]:
                del self._ends[partition]
                self._standstills.forget([partition])
        elif error.code in UNREADABLE:
            self._standstills.doubt(partition, event.offset, error.sentence)
        elif not error.retriable:
            refuse_reader([error])

    def _pass_over(self, partition: int, unreadable: range) -> None:
        self._log(
            f"passing over offsets {unreadable[0]} to {unreadable[-1]} of partition {partition} of "
            f"{self._topic.name}: the Kafka client can neither unpack nor parse what is there"
        )
        self._standstills.begin(partition, unreadable.stop)
        self._consumer.seek(partition, unreadable.stop)

    def _warn(self, event: str, **fields: object) -> None:
        self._log(f"{event}: " + ", ".join(f"{name} {value}" for name, value in fields.items()))


def _ends(admin: Admin, topic: Topic, stopped: Callable[[], bool]) -> dict[int, int]:
    """Return the end offset of each partition that has messages, open transactions included."""

    def ask(position: Position) -> dict[int, int]:
        answers = admin.offsets(topic.name, range(topic.partitions), position, 10.0)
        return {partition: answer.result() for partition, answer in answers.items()}

    while not stopped():
        try:
            first, end = ask("earliest"), ask("latest")
        except ClientError as error:
            refuse([error])
            time.sleep(0.5)
            continue
        return {partition: offset for partition, offset in end.items() if offset > first[partition]}
    raise StoppedError


def _note(found: dict[str, int], key: bytes | None, value: bytes | None, keyless: bool) -> None:
    try:
        zone, instant = _reading(value)
    except ReadingError:
        return
    if key == zone.encode() or (key is None and keyless):
        found[zone] = max(instant, found.get(zone, instant))


def _reading(value: bytes | None) -> tuple[str, int]:
    """Return zone and instant of a reading: quickly for a plain one, by the strict reader for every other."""
    try:
        reading = _FAST.decode(value or b"")
        instant = _instant(reading.timestamp)
        if reading.zone and instant >= 0:
            return reading.zone, instant
    except (ValueError, RecursionError):
        pass
    zone, instant, _ = decode_reading(value)
    return zone, instant


_instant = lru_cache(maxsize=65536)(instants.parse)
