"""Where the topic stands: each zone's latest timestamp on it, so that `--resume` sends only what is later."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from season import instants
from season.cli import StoppedError
from season.kafka import Properties, beside, refuse
from season.messages import Reading, ReadingError, decode_reading
from season.topics import Topic

_FAST = msgspec.json.Decoder(Reading)
_BATCH = 2000
_TELL_AFTER = 5.0


def properties(environ: Mapping[str, str]) -> Properties:
    """The client's properties: committed messages alone, partitions chosen by us, nothing stored for the group."""
    ours = {
        "group.id": "season-producer",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "fetch.queue.backoff.ms": 1,
        # Bounds what the client fetches ahead: the broker can be read faster than it is decoded here.
        "queued.max.messages.kbytes": 16 * 1024,
    }
    return beside(Consumer, environ, ours)


def latest(
    admin: AdminClient, made: Properties, topic: Topic, log: Callable[[str], None], stopped: Callable[[], bool]
) -> dict[str, int]:
    """The latest instant (epoch seconds) of each zone on the topic, read from its beginning to its present end.

    Only readings by every rule for their JSON count, under the key of their zone. Memory: one number a zone.
    Raises RefusedError, StoppedError.
    """
    silent = logging.Logger("producer.kafka")
    silent.addHandler(logging.NullHandler())
    errors: list[KafkaError] = []
    consumer = Consumer({**made, "error_cb": errors.append, "logger": silent})
    try:
        ends = _ends(admin, topic, stopped)
        consumer.assign([TopicPartition(topic.name, partition, OFFSET_BEGINNING) for partition in ends])
        found: dict[str, int] = {}
        heard = time.monotonic()
        while ends:
            if stopped():
                raise StoppedError
            refuse(errors)
            first = consumer.poll(0.2)
            messages = [] if first is None else [first, *consumer.consume(_BATCH, 0)]
            if messages:
                heard = time.monotonic()
            elif time.monotonic() - heard > _TELL_AFTER:
                heard = time.monotonic()
                log("waiting for the topic's end: for the broker, or for another program's open transaction")
            for message in messages:
                _take(message, found, ends, keyless=topic.partitions == 1)
        return found
    finally:
        consumer.close()


def _take(message: Message, found: dict[str, int], ends: dict[int, int], keyless: bool) -> None:
    error = message.error()
    if error is None:
        _note(found, message.key(), message.value(), keyless)
    elif error.code() == KafkaError._PARTITION_EOF:
        # Until an open transaction has ended, a partition seems to end before it.
        partition, offset = message.partition(), message.offset()
        if partition in ends and offset is not None and offset >= ends[partition]:
            del ends[partition]
    elif not error.retriable():
        refuse([error])


def _ends(admin: AdminClient, topic: Topic, stopped: Callable[[], bool]) -> dict[int, int]:
    """The next offset of each partition that has messages, those of open transactions included."""
    partitions = [TopicPartition(topic.name, partition) for partition in range(topic.partitions)]

    def ask(spec: OffsetSpec) -> dict[int, int]:
        futures = admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=10.0)
        return {partition.partition: future.result().offset for partition, future in futures.items()}

    while not stopped():
        try:
            first, end = ask(OffsetSpec.earliest()), ask(OffsetSpec.latest())  # type: ignore[no-untyped-call]
        except KafkaException as error:
            refuse([error.args[0]])
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
    """Zone and instant of a reading: quickly for a plain one, and by the letter for every other."""
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
