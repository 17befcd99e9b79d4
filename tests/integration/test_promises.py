"""What the service promises beside the windows: ids, silence, partitions, models, what does not fit."""

import json
from pathlib import Path

import numpy as np
from confluent_kafka import Producer

from kafka_local import Broker
from season.calendar import HOUR, Calendar
from tests.integration.test_service import check, reading, shuffled_year
from tests.integration.world import World, wait

ROME = Calendar("Europe/Rome")
START = int(ROME.starts(np.array([18779]))[0])  # 2021-06-01


def day(zone: str, hours: range = range(24), start: int = START) -> list[dict[str, object]]:
    """Hours of a day that is not constant."""
    return [reading(zone, start + hour * HOUR, 20000.0 + 100.0 * hour) for hour in hours]


def test_of_two_with_one_id_the_older_stops(broker: Broker, tmp_path: Path) -> None:
    """The newcomer takes the transactional.id; the older one ends with status 1 and says why; nothing is doubled."""
    world = World(broker.bootstrap_servers)
    with world.service(tmp_path, INSTANCE_ID="same") as older:
        wait(lambda: "partition restored" in older.log.read_text(), 60, "the older one does not start")
        with world.service(tmp_path, INSTANCE_ID="same") as newer:
            newer.ready()
            world.publish(shuffled_year(3)[:4000])
            wait(lambda: older.process.poll() is not None, 60, "the older one does not stop")
            assert older.process.returncode == 1
            assert "INSTANCE_ID='same'" in older.log.read_text()
            world.wait_until_read()
            assert newer.stop() == 0
    check(world)


def test_a_silent_zone_has_its_windows_ended(broker: Broker, tmp_path: Path) -> None:
    """After IDLE_TIMEOUT a window is filled and scored, or is a dead letter; what has ended stays ended."""
    world = World(broker.bootstrap_servers)
    # Longer than a busy machine stands still between two readings that were published together.
    with world.service(tmp_path, IDLE_TIMEOUT="4s") as service:
        world.publish([*day("almost", range(23)), *day("half", range(12))])
        wait(lambda: len(world.flat("PREDICTIONS_TOPIC")) == 1, 60, "no prediction")
        wait(lambda: len(world.flat("DEAD_LETTER_TOPIC")) == 1, 60, "no dead letter")
        world.publish(day("almost", range(23, 24)))
        wait(lambda: len(world.flat("DEAD_LETTER_TOPIC")) == 2, 60, "the late reading is no dead letter")
        service.says({"season_open_windows": 0})
        assert service.stop() == 0
    (prediction,) = [json.loads(m.value or b"") for m in world.flat("PREDICTIONS_TOPIC")]
    assert (prediction["zone"], prediction["filled_hours"], prediction["steps"][23]) == ("almost", 1, 22200.0)
    reasons = [dict(m.headers)["reason"] for m in world.flat("DEAD_LETTER_TOPIC")]
    assert sorted(reason or b"" for reason in reasons) == [b"incomplete_window", b"late"]


def test_another_partitioner_is_warned_of(broker: Broker, tmp_path: Path) -> None:
    """A zone on another partition than Java's clients choose is a warning, once."""
    world = World(broker.bootstrap_servers)
    messages = [{**message, "partition": 3} for zone in "abcdef" for message in day(zone, range(2))]
    world.publish(messages)
    with world.service(tmp_path) as service:
        world.wait_until_read()
        assert service.stop() == 0
        assert service.log.read_text().count("murmur2") == 2  # one line, which names it twice


def test_readings_that_were_undone_are_never_seen(broker: Broker, tmp_path: Path) -> None:
    """A publisher's aborted transactions leave no trace, and lag is 0 behind the markers of transactions."""
    world = World(broker.bootstrap_servers)
    producer = Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "transactional.id": world.name,
            "partitioner": "murmur2_random",
        }
    )
    producer.init_transactions(30)
    messages = shuffled_year(7)[:3000]
    for start in range(0, len(messages), 100):
        producer.begin_transaction()
        for message in messages[start : start + 100]:
            producer.produce(world.environ["READINGS_TOPIC"], **message)
        producer.abort_transaction(30) if start % 300 == 0 else producer.commit_transaction(30)
    with world.service(tmp_path) as service:
        service.ready()
        published = sum(len(log) for log in world.log("READINGS_TOPIC"))
        service.says({"season_readings_total": published, "season_lag_messages": 0})
        assert service.stop() == 0
    assert published == 2000
    check(world)
