"""The laws that any input is held to: the fuzzer and the flood of mutations break on the first that does not hold."""

import functools
import json
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from confluent_kafka import Message

from consumer.adapters import letters
from consumer.adapters.decode import KEY_MISMATCH, decode
from consumer.adapters.model import Model
from consumer.core import record
from consumer.core.changelog import Changelog
from consumer.core.outcome import Rules
from consumer.core.record import DamagedError
from consumer.core.state import State
from consumer.partition import Partition
from consumer.pipeline import Pipeline, score
from season import instants, strict_json
from season.calendar import DAY, Calendar
from season.messages import BAD_TIMESTAMP, ReadingError, decode_reading
from season.topics import Topic
from tests import naive_json
from tests.consumer.adapters.decode.made import rows
from tests.integration.oracle import Expected, Logged, Oracle, compare

MODEL = Path(__file__).parents[2] / "models" / "season_classifier.onnx"
ROME, KATHMANDU = Calendar("Europe/Rome"), Calendar("Asia/Kathmandu")
RULES = Rules(DAY, 2, 3600.0)
TOPIC = "readings"
LONGEST_SENTENCE = 700

Bytes = bytes | None
Judgement = tuple[str, str, int, str]


def judge(key: Bytes, value: Bytes, partitions: int, calendar: Calendar) -> Judgement:
    """What becomes of one message by the slow road: its reason or "", and what is read of it."""
    try:
        zone, instant, demand = decode_reading(value)
    except ReadingError as error:
        return error.reason, "", 0, ""
    if not calendar.on_the_hour(np.array([instant]))[0]:
        return BAD_TIMESTAMP, "", 0, ""
    if key != zone.encode() and (key is not None or partitions != 1):
        return KEY_MISMATCH, "", 0, ""
    return "", zone, instant, demand.hex()


def batch(keys: Sequence[Bytes], values: Sequence[Bytes], partitions: int, calendar: Calendar) -> Counter[str]:
    """Every message is a reading or a dead letter with its bytes untouched, as the slow road says; by reason."""
    decoded = decode(keys, values, partitions, calendar)
    found: dict[int, Judgement] = {row: ("", zone, at, demand) for row, zone, at, demand in rows(decoded)}
    for rejected in decoded.rejected:
        assert rejected.row not in found
        found[rejected.row] = (rejected.reason, "", 0, "")
        assert rejected.error.isprintable(), rejected
        assert len(rejected.error) < LONGEST_SENTENCE, rejected
        letter(keys[rejected.row], values[rejected.row], rejected.reason, rejected.error)
    for row, (key, value) in enumerate(zip(keys, values, strict=True)):
        assert found.pop(row) == judge(key, value, partitions, calendar), (key, value)
    assert not found
    return Counter(rejected.reason for rejected in decoded.rejected) + Counter({"": len(decoded.rows)})


def letter(key: Bytes, value: Bytes, reason: str, error: str) -> None:
    """A dead letter has the message's own bytes."""
    written = letters.of_message(Message(TOPIC, 0, 7, key, value), reason, error)
    assert (written.key, written.value) == (key, value)
    assert dict(written.headers)["reason"] == reason.encode()
    assert dict(written.headers)["source.offset"] == b"7"


def refusal(call: Callable[[], object], refused: type[Exception]) -> str | None:
    """The sentence with which a call refuses its input; None where it takes it."""
    try:
        call()
    except refused as error:
        return str(error)
    return None


def text(data: bytes) -> bool:
    """The strict reader takes what the naive one takes, and reads the same; whether that is JSON."""
    said = refusal(lambda: strict_json.parse(data), ValueError)
    assert (refusal(lambda: naive_json.parse(data), naive_json.NotJsonError) is None) == (said is None), data
    if said is not None:
        assert said.isprintable()
        return False
    pairs: list[tuple[object, object]] = [(strict_json.parse(data), naive_json.parse(data))]
    while pairs:
        pairs += same(*pairs.pop())
    return True


def same(value: object, expected: object) -> Iterable[tuple[object, object]]:
    """Holds a JSON value to the naive reader's, a `Number` to a 64-bit float; the pairs within are left to hold."""
    if isinstance(value, dict) and isinstance(expected, dict):
        assert value.keys() == expected.keys()
        return [(value[name], expected[name]) for name in value]
    if isinstance(value, list) and isinstance(expected, list):
        return zip(value, expected, strict=True)
    if isinstance(value, strict_json.Number) and isinstance(expected, float):
        assert (0.0 if value == "-0" else float(value)).hex() == expected.hex()
        return ()
    assert type(value) is type(expected)
    assert value == expected
    return ()


def stamp(written: str) -> bool:
    """A timestamp is taken or refused with a sentence; taken, it is the instant that its text names in UTC."""
    said = refusal(lambda: instants.parse(written), ValueError)
    if said is not None:
        assert said.isprintable()
        assert len(said) < LONGEST_SENTENCE
        return False
    instant = instants.parse(written)
    for calendar in (ROME, KATHMANDU):
        assert calendar.on_the_hour(np.array([instant])).shape == (1,)
    if 0 <= instant < instants.parse("9999-12-31T23:59:59Z"):
        assert instants.parse(instants.format(instant)) == instant
    return True


def changelog(data: bytes) -> bool:
    """Any bytes are a record or refused with a sentence; a record is written as it was read."""
    said = refusal(lambda: record.decode(data), DamagedError)
    if said is not None:
        assert said.isprintable()
        return False
    changes, origin = record.decode(data)
    again, there = record.decode(record.encode(changes, origin))
    assert there == origin
    for name in ("zones", "stream", "watermark", "cell_zones", "cell_days", "cell_indices", "revisions"):
        assert np.array_equal(getattr(again, name), getattr(changes, name)), name
    assert again.hours.tobytes() == changes.hours.tobytes()
    assert again.cells.tobytes() == changes.cells.tobytes()
    return True


def sealed(head: bytes, columns: bytes, version: int = 1) -> bytes:
    """A changelog record around any head and any columns, with the checksum that fits."""
    whole = struct.pack("<6sBI", b"SEASON", version, len(head)) + head + columns
    return whole + struct.pack("<I", zlib.crc32(whole))


def stream(sizes: Iterator[int], messages: Sequence[tuple[Bytes, Bytes]], model: Model, now: float) -> Counter[str]:
    """One partition's messages, in batches of such sizes, come to what the naive reference says; by reason."""
    logged = [Logged(0, offset, key, value, []) for offset, (key, value) in enumerate(messages)]
    oracle = _oracle()
    oracle.now, oracle.expected = now, Expected()
    expected = oracle.read([logged])
    pipeline = Pipeline(state=State(ROME), rules=RULES)
    partition = Partition(
        number=0,
        pipeline=pipeline,
        topic=Topic(TOPIC, 1, "id"),
        changelog=Changelog(),
        next_offset=0,
        committed_offset=-1,
    )
    predictions: list[Logged] = []
    dead: list[Logged] = []
    reasons: Counter[str] = Counter()
    start = 0
    while start < len(messages):
        end = start + max(1, next(sizes))
        batch = [Message(TOPIC, 0, at, *messages[at]) for at in range(start, min(end, len(messages)))]
        decision = partition.read(batch, pipeline.decode(batch), now, len(messages))
        (done,) = score([(pipeline, decision)], model, 2**21)
        predictions += [Logged(0, 0, key, value, []) for key, value in done.predictions]
        dead += [Logged(0, 0, one.key, one.value, list(one.headers)) for one in done.letters]  # type: ignore[arg-type]
        reasons.update(done.reasons)
        for _, value in partition.records():
            assert value is None or changelog(value)
        start = end
    compare(expected, predictions, dead)
    reasons["scored"] = len(predictions)
    return reasons


@functools.cache
def _oracle() -> Oracle:
    return Oracle(ROME, RULES, MODEL, TOPIC, 1, 0.0)


def reading(zone: str, timestamp: str, demand: object) -> bytes:
    """A reading as JSON."""
    return json.dumps({"zone": zone, "timestamp": timestamp, "demand_mw": demand}).encode("utf-8", "surrogatepass")
