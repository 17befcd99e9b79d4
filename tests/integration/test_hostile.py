"""What a publisher can put on the topic to stop the stream, on a real broker: nothing does."""

import json
import random
import time
from collections.abc import Set
from pathlib import Path
from typing import Any

import numpy as np

from kafka_local import Broker
from season.calendar import HOUR
from tests.fuzz.flood import NUMBERS, STAMPS, ZONES, Flood
from tests.hostile_json import depth
from tests.integration.batches import SMALL, batch, bomb, mute, record, send, wild
from tests.integration.oracle import Logged
from tests.integration.test_service import ROME, check, reading
from tests.integration.world import ServiceProcess, World

START = int(ROME.starts(np.array([18779]))[0])  # 2021-06-01
ZONES_OF_A_DAY = ["IT", "FR", "DE", "ES", "PL"]


class Hostile(World):
    """A world with batches that the service's client cannot unpack."""

    def __init__(self, servers: str, partitions: int = 2) -> None:
        super().__init__(servers, partitions)
        self.unreadable: set[tuple[int, int]] = set()

    def bomb(self, partition: int, count: int, size: int = 4_000_000) -> None:
        """Sends a batch of `count` records, a few kilobytes of zstd that unpack to `size` bytes."""
        first = send(self.servers, self.environ["READINGS_TOPIC"], partition, bomb(count, size))
        self.unreadable |= {(partition, first + place) for place in range(count)}

    def mute(self, partition: int, before: int, count: int) -> None:
        """Sends a batch with records that a client stands still before, without a word, behind good ones."""
        first = send(self.servers, self.environ["READINGS_TOPIC"], partition, mute(before, count))
        self.unreadable |= {(partition, first + before + place) for place in range(count)}

    def log(self, setting: str, unreadable: Set[tuple[int, int]] = frozenset()) -> list[list[Logged]]:
        """The log as the service must take it."""
        return super().log(setting, self.unreadable if setting == "READINGS_TOPIC" else unreadable)

    def letters(self) -> list[dict[str, str]]:
        """The headers of all dead letters, by partition and offset of what they are of."""
        headers = [
            {name: (value or b"").decode() for name, value in m.headers} for m in self.flat("DEAD_LETTER_TOPIC")
        ]
        return sorted(headers, key=lambda h: (int(h["source.partition"]), int(h["source.offset"])))


def day(start: int = START) -> list[dict[str, Any]]:
    """A day of all zones, hour by hour."""
    return [reading(zone, start + hour * HOUR, 100.0 + hour) for hour in range(24) for zone in ZONES_OF_A_DAY]


def read_all(world: World, folder: Path, seconds: float = 60, **says: float) -> ServiceProcess:
    """A service that has read all there is, says so in its metrics, and was stopped: its log can still be read."""
    with world.service(folder) as service:
        world.wait_until_read(seconds)
        service.says(says)
        assert service.stop() == 0
    return service


def check_days(world: World, days: int = 1) -> None:
    """Holds what was published to the reference, by which each zone has so many days."""
    predictions = check(world).predictions
    assert {zone: len(rows) for zone, rows in predictions.items()} == dict.fromkeys(ZONES_OF_A_DAY, days)


def test_a_batch_that_cannot_be_unpacked_costs_its_messages_alone(broker: Broker, tmp_path: Path) -> None:
    """Kilobytes of zstd that unpack to 150 MB: a letter for each offset, what stands around them is scored."""
    world = Hostile(broker.bootstrap_servers)
    messages = day()
    world.publish(messages[:50])
    world.bomb(1, 300, 150_000_000)
    world.publish(messages[50:])
    counts = {"season_readings_total": len(messages) + 300, 'season_dead_letters_total{reason="malformed"}': 300}
    service = read_all(world, tmp_path, season_lag_messages=0, **counts)
    assert len(service.events()) < 20  # not a line for each offset
    check_days(world)
    topic = world.environ["READINGS_TOPIC"]
    assert [letter["error"] for letter in world.letters()] == [
        f"the message at offset {offset} of partition 1 of {topic} cannot be unpacked or parsed by the Kafka client"
        for _, offset in sorted(world.unreadable)
    ]


def test_a_record_before_which_a_client_stands_still_is_passed_over(broker: Broker, tmp_path: Path) -> None:
    """A length below -1, which the broker lets pass, and of which the client says nothing: a letter each."""
    world = Hostile(broker.bootstrap_servers)
    messages = day()
    world.publish(messages[:50])
    world.mute(0, 2, 3)
    world.publish(messages[50:])
    world.mute(1, 0, 1)  # the last that there is
    read_all(world, tmp_path, season_lag_messages=0)
    check_days(world)
    assert len(world.letters()) == 2 + 3 + 1


def test_records_that_lie_about_their_offsets_lose_no_others(broker: Broker, tmp_path: Path) -> None:
    """Neither what comes behind them, nor the place from which the next start goes on."""
    world = Hostile(broker.bootstrap_servers)
    messages = day()
    for start in range(0, len(messages), 20):
        world.publish(messages[start : start + 20])
        for partition in range(2):
            send(broker.bootstrap_servers, world.environ["READINGS_TOPIC"], partition, wild(7, 3, 2**30))
    for _ in range(2):
        with world.service(tmp_path) as service:
            service.ready()
            world.wait_until_read()
            service.says({"season_lag_messages": 0})
            assert service.stop() == 0
        world.publish(day(START + 86400))
    read_all(world, tmp_path)
    check_days(world, 2)


def test_unreadable_batches_under_kills(broker: Broker, tmp_path: Path) -> None:
    """Killed again and again among batches that cannot be unpacked: each of their offsets has one letter."""
    world = Hostile(broker.bootstrap_servers)
    messages = day()
    for place, count in enumerate([1, 30, 2, 60]):
        world.publish(messages[place * 30 : (place + 1) * 30])
        world.bomb(place % 2, count)
        world.bomb(0, count)
    world.environ |= {"INSTANCE_ID": "one", **SMALL}
    for seconds in (1.0, 1.5, 2.0):
        with world.service(tmp_path) as service:
            service.ready()
            time.sleep(seconds)
            service.kill()
    read_all(world, tmp_path, 120)
    check_days(world)
    letters = [(int(letter["source.partition"]), int(letter["source.offset"])) for letter in world.letters()]
    assert letters == sorted(world.unreadable)


def reasons(world: Hostile) -> set[str]:
    """The reasons that the dead letters have; each letter has more than its window."""
    return {(dict(m.headers)["reason"] or b"").decode() for m in world.flat("DEAD_LETTER_TOPIC")}


def text(zone: str, timestamp: str, demand: str) -> bytes:
    """A reading whose timestamp and number are written as they are given."""
    return f'{{"zone": {json.dumps(zone)}, "timestamp": "{timestamp}", "demand_mw": {demand}}}'.encode()


def edges() -> list[dict[str, Any]]:
    """Messages at every edge of the interface."""
    at = "2021-06-01T13:00:00Z"
    messages: list[dict[str, Any]]
    messages = [{"key": b"n%d" % i, "value": text(f"n{i}", at, number)} for i, number in enumerate(NUMBERS)]
    messages += [{"key": b"t%d" % i, "value": text(f"t{i}", stamp, "1.5")} for i, stamp in enumerate(STAMPS)]
    messages += [{"key": zone.encode(), "value": text(zone, at, "1.5")} for zone in ZONES if zone]
    messages += [{"key": b"IT", "value": depth(levels)} for levels in (499, 500, 501, 100_000)]
    messages += [{"key": b"big", "value": text("big", at, "1")[:-1] + b', "x": "' + b"x" * 2_000_000 + b'"}'}]
    messages += [{"key": b"k" * 100_000, "value": b"v" * size} for size in (0, 1, 1_000_000, 1_900_000)]
    headers = [(f"name {i}", None if i % 3 else b"\xff") for i in range(5000)]
    messages += [{"key": b"IT", "value": None, "headers": headers}, {"key": None, "value": None}]
    messages += [
        {"key": b"", "value": b""},
        {"key": b"\xff\xfe", "value": b"\x00\xff", "headers": {"reason": b"mine"}},
    ]
    messages += [{**reading("a", START, 1.0), "key": None, "partition": 1}, {**reading("a", START, 1.0), "key": b"b"}]
    messages += [reading("a", 4_000_000_000 // 3600 * 3600, 1.0), reading("a", START + 1800, 1.0)]
    return messages


def test_edges_of_every_kind_are_judged_one_by_one(broker: Broker, tmp_path: Path) -> None:
    """Numbers, timestamps, names, sizes, depths, headers and keys at their limits; the others' day is scored."""
    world = Hostile(broker.bootstrap_servers)
    good = [reading(zone, START + hour * HOUR, 100.0 + hour) for hour in range(24) for zone in ("ñ", "n\u0303")]
    late = [reading("ñ", START + 72 * HOUR, 5.0), reading("ñ", START, 5.0)]
    world.publish([*good[:20], *edges(), *good[20:], *late])
    read_all(world, tmp_path)
    expected = check(world)
    assert {zone: len(rows) for zone, rows in expected.predictions.items()} == {"ñ": 1, "n\u0303": 1}
    assert reasons(world) == {"malformed", "bad_timestamp", "key_mismatch", "future_reading", "late"}
    assert expected.accepted > 48 + 40


def test_headers_that_no_client_writes(broker: Broker, tmp_path: Path) -> None:
    """Names that are not text cost the headers, not the message; odd lengths cost no more."""
    world = Hostile(broker.bootstrap_servers)
    odd: list[list[tuple[bytes, bytes | None]]] = [
        [(b"\xff\xfe", b"1"), (b"a", b"2")],
        [(b"", None), (b"a" * 3000, b"\x00"), ("é ".encode(), b"")],
        [(b"h%d" % i, None) for i in range(9000)],
    ]
    odd += [[(b"\xff", b"")]] * 500  # a function that ran often is called by other ways of the interpreter's
    records = b"".join(record(i, b"IT", b"{}", headers) for i, headers in enumerate(odd))
    send(broker.bootstrap_servers, world.environ["READINGS_TOPIC"], 0, batch(records, len(odd)))
    world.publish(day())
    read_all(world, tmp_path)
    check_days(world)
    letters = {letter["source.offset"]: letter for letter in world.letters()}
    assert letters["0"]["error"] == "zone is missing; all headers are left out, the name of one is not UTF-8"
    assert letters["1"]["é "] == ""
    assert len(letters["2"]) == 9005


def test_what_does_not_fit_a_dead_letter(broker: Broker, tmp_path: Path) -> None:
    """A message as large as its topic takes has its letter, without what is too large for it."""
    world = Hostile(broker.bootstrap_servers)
    world.publish([{"key": b"IT", "value": b"v" * (2**21 + 2**15), "headers": {"a": b"b"}}])
    read_all(world, tmp_path)
    (letter,) = world.flat("DEAD_LETTER_TOPIC")
    assert (letter.key, letter.value, letter.headers[0]) == (b"IT", None, ("a", b"b"))
    assert "the value of 2129920 bytes is left out" in world.letters()[0]["error"]


def test_ten_thousand_zones_of_random_bytes(broker: Broker, tmp_path: Path) -> None:
    """Names of any bytes, among thousands of mutated messages: zones where they are UTF-8, dead letters where not."""
    world = Hostile(broker.bootstrap_servers)
    pick = random.Random(8)
    names = {pick.randbytes(pick.randrange(1, 60)) for _ in range(5000)}
    names |= {
        "".join(map(chr, pick.choices(range(1, 0xD800), k=pick.randrange(1, 70)))).encode() for _ in range(5000)
    }
    messages: list[dict[str, Any]] = []
    for name in sorted(names):
        quoted = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        value = b'{"zone":"%s","timestamp":"2021-06-01T13:00:00Z","demand_mw":1.5}' % quoted
        messages.append({"key": name, "value": value})
    flood = Flood(9)
    while len(messages) < 25_000:
        messages += [{"key": key, "value": value} for key, value in zip(*flood.batch(), strict=True)]
    pick.shuffle(messages)
    world.publish(messages)
    read_all(world, tmp_path, 120, season_readings_total=len(messages))
    expected = check(world)
    assert expected.accepted > 5000
    assert len(expected.letters) > 5000


def test_values_that_no_model_can_take(broker: Broker, tmp_path: Path) -> None:
    """A day of the largest floats there are comes to a prediction or to an unscorable window, and never stops it."""
    world = Hostile(broker.bootstrap_servers)
    largest = 3.4028234663852886e38
    world.publish([reading("huge", START + h * HOUR, largest if h % 2 else -largest) for h in range(24)])
    world.publish([reading("tiny", START + h * HOUR, 5e-324 * h) for h in range(24)] + day())
    read_all(world, tmp_path)
    predicted = [json.loads(m.value or b"")["zone"] for m in world.flat("PREDICTIONS_TOPIC")]
    letters = [(m.key, dict(m.headers)["reason"]) for m in world.flat("DEAD_LETTER_TOPIC")]
    assert (predicted.count("huge"), letters) in [(1, []), (0, [(b"huge", b"unscorable_window")])]
    assert set(predicted) - {"huge"} == set(ZONES_OF_A_DAY)  # the tiny ones are all equal as 32-bit floats
