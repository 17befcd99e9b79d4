"""State and offset are one: whatever becomes of the group's offsets and the topics, reading goes on right, or not."""

import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import NewPartitions, NewTopic  # type: ignore[attr-defined]

from kafka_local import Broker
from season.calendar import DAY, HOUR
from season.client.admin import Admin
from season.topics import find
from tests.integration.oracle import Expected, Oracle, compare
from tests.integration.test_service import ROME, RULES, check, reading, shuffled_year
from tests.integration.world import MODEL, ServiceProcess, World, wait

START = 1_622_498_400  # 2021-06-01T00:00+02:00


def committed(world: World) -> dict[int, int]:
    """The group's offset of each partition."""
    group = ConsumerGroupTopicPartitions(world.environ["CONSUMER_GROUP"])
    answer = world.admin.list_consumer_group_offsets([group])[group.group_id].result()
    return {at.partition: at.offset for at in answer.topic_partitions}


def move(world: World, offsets: Mapping[int, int]) -> None:
    """Sets the group's offsets, as an administrator does with kafka-consumer-groups --reset-offsets."""
    places = [TopicPartition(world.environ["READINGS_TOPIC"], p, offset) for p, offset in offsets.items()]
    group = ConsumerGroupTopicPartitions(world.environ["CONSUMER_GROUP"], places)
    world.admin.alter_consumer_group_offsets([group])[group.group_id].result()


def run(world: World, folder: Path, **settings: str) -> ServiceProcess:
    """A service that reads all there is and is stopped; its log can still be read."""
    with world.service(folder, INSTANCE_ID="one", **settings) as service:
        service.ready()
        world.wait_until_read()
        assert service.stop() == 0
    return service


def lost(service: ServiceProcess) -> dict[int, tuple[int, str]]:
    """How many messages its log says are lost, and why, by partition; all of it at the level of errors."""
    events = [event for event in service.events() if event["event"] == "readings are lost"]
    assert {event["level"] for event in events} <= {"error"}
    return {event["partition"]: (event["messages"], event["why"]) for event in events}


def without(world: World, gone: Mapping[int, range]) -> Expected:
    """What the reference makes of the log less the offsets that were never read."""
    logs = [
        [message for message in log if message.offset not in gone.get(partition, range(0))]
        for partition, log in enumerate(world.log("READINGS_TOPIC"))
    ]
    return Oracle(ROME, RULES, MODEL, world.environ["READINGS_TOPIC"], world.partitions, time.time()).read(logs)


def test_offsets_that_expired_or_fell_behind_change_nothing(broker: Broker, tmp_path: Path) -> None:
    """Where the group's offset is gone, or behind the state's, reading goes on where the state belongs."""
    world = World(broker.bootstrap_servers)
    messages = shuffled_year(11)[:9000]
    world.publish(messages[:3000])
    run(world, tmp_path)
    group = world.environ["CONSUMER_GROUP"]
    world.admin.delete_consumer_groups([group])[group].result()
    world.publish(messages[3000:6000])
    assert lost(run(world, tmp_path)) == {}
    move(world, {0: 0, 1: 17, 2: 1})
    world.publish(messages[6000:])
    assert lost(run(world, tmp_path)) == {}
    check(world)


def test_an_offset_that_was_moved_ahead_loses_what_lies_between(broker: Broker, tmp_path: Path) -> None:
    """It goes on there, says how many messages were never read and counts them; beyond the end nothing is lost."""
    world = World(broker.bootstrap_servers)
    messages = shuffled_year(12)[:6000]
    world.publish(messages[:3000])
    run(world, tmp_path)
    before = committed(world)
    world.publish(messages[3000:])
    ends = [len(log) for log in world.log("READINGS_TOPIC")]
    move(world, {0: before[0] + 100, 1: 1_000_000})
    gone = {0: range(before[0], before[0] + 100), 1: range(before[1], ends[1])}
    with world.service(tmp_path, INSTANCE_ID="one") as service:
        service.ready()
        world.wait_until_read()
        service.says({"season_lost_messages_total": 100 + len(gone[1])})
        assert service.stop() == 0
    assert {number: count for number, (count, _) in lost(service).items()} == {0: 100, 1: len(gone[1])}
    assert all("was moved ahead" in why for _, why in lost(service).values())
    assert lost(run(world, tmp_path)) == {}  # said once
    compare(without(world, gone), world.flat("PREDICTIONS_TOPIC"), world.flat("DEAD_LETTER_TOPIC"))


def test_messages_that_retention_took_are_counted(broker: Broker, tmp_path: Path) -> None:
    """Retention shorter than the outage, of a service that is stopped or stands still: what is gone is said."""
    world = World(broker.bootstrap_servers)
    messages = shuffled_year(13)[:9000]
    world.publish(messages[:3000])
    gone: dict[int, range] = {}
    logs = world.log("READINGS_TOPIC")
    with world.service(tmp_path, INSTANCE_ID="one") as service:
        service.ready()
        world.wait_until_read()
        service.process.send_signal(signal.SIGSTOP)
        # A fetch that is under way would still be answered with what comes: it waits for half a second by itself.
        time.sleep(5)
        world.publish(messages[3000:6000])
        logs = world.log("READINGS_TOPIC")
        gone[0] = expire(world, 0, committed(world)[0] + 50)
        service.process.send_signal(signal.SIGCONT)
        world.wait_until_read()
        service.says({"season_lost_messages_total": 50})
        assert service.stop() == 0
    world.publish(messages[6000:])
    later = world.log("READINGS_TOPIC")
    gone[1] = expire(world, 1, committed(world)[1] + 70)
    service = run(world, tmp_path)
    assert {number: count for number, (count, _) in lost(service).items()} == {1: 70}
    assert "the topic keeps nothing before offset" in lost(service)[1][1]
    whole = [[*old, *(m for m in new if m.offset >= len(old))] for old, new in zip(logs, later, strict=True)]
    read = [[m for m in log if m.offset not in gone.get(p, range(0))] for p, log in enumerate(whole)]
    oracle = Oracle(ROME, RULES, MODEL, world.environ["READINGS_TOPIC"], world.partitions, time.time())
    compare(oracle.read(read), world.flat("PREDICTIONS_TOPIC"), world.flat("DEAD_LETTER_TOPIC"))


def expire(world: World, partition: int, first: int) -> range:
    """Deletes what lies before an offset, as retention does; the offsets from the group's on that are gone."""
    at = TopicPartition(world.environ["READINGS_TOPIC"], partition, first)
    world.admin.delete_records([at])[at].result()
    return range(committed(world)[partition], first)


def test_another_group_reads_everything_anew(broker: Broker, tmp_path: Path) -> None:
    """A new CONSUMER_GROUP with new topics for predictions and dead letters publishes the same once more."""
    world = World(broker.bootstrap_servers)
    world.publish(shuffled_year(14)[:3000])
    run(world, tmp_path)
    check(world)
    for setting in ("CONSUMER_GROUP", "CHANGELOG_TOPIC", "PREDICTIONS_TOPIC", "DEAD_LETTER_TOPIC"):
        world.environ[setting] += ".again"
    run(world, tmp_path)
    check(world)


def test_another_calendar_is_taken_when_nothing_is_open(broker: Broker, tmp_path: Path) -> None:
    """While windows are open another time zone or day start stops the start; once all have ended, it is in force."""
    world = World(broker.bootstrap_servers)
    world.publish([reading("IT", START + hour * HOUR, 20_000.0 + hour) for hour in range(5)])
    run(world, tmp_path)
    for setting, value in (("WINDOW_TIME_ZONE", "Europe/London"), ("WINDOW_DAY_START", "06:00")):
        stops(world, tmp_path, "WINDOW_TIME_ZONE and WINDOW_DAY_START", **{setting: value})
    with world.service(tmp_path, INSTANCE_ID="one", IDLE_TIMEOUT="1s") as service:
        service.ready()
        wait(lambda: len(world.flat("DEAD_LETTER_TOPIC")) == 1, 60, "the window does not end")
        assert service.stop() == 0
    london = START + 5 * DAY + HOUR
    world.publish([reading("IT", london + hour * HOUR, 20_000.0 + hour) for hour in range(24)])
    run(world, tmp_path, WINDOW_TIME_ZONE="Europe/London")
    (prediction,) = world.flat("PREDICTIONS_TOPIC")
    assert b'"window_start":"2021-06-05T23:00:00Z"' in (prediction.value or b"").replace(b" ", b"")


def stops(world: World, folder: Path, says: str, **settings: str) -> None:
    """A service started now ends by itself, with status 2 and this sentence."""
    with world.service(folder, INSTANCE_ID="one", **settings) as service:
        ended(service, says)


def ended(service: ServiceProcess, says: str) -> None:
    """Waits for the end of a service, by itself, with status 2 and this sentence, which says what to do."""
    assert service.process.wait(120) == 2
    told = service.log.read_text()
    assert re.search(says, told), told
    assert "new CONSUMER_GROUP" in told
    assert "Traceback" not in told


def make_anew(world: World, setting: str, partitions: int = 4) -> None:
    """Deletes a topic and makes it again."""
    name = world.environ[setting]
    world.admin.delete_topics([name])[name].result()
    create(world, name, partitions)


def create(world: World, name: str, partitions: int) -> None:
    """Makes a topic as soon as the broker is done with deleting one of the same name."""
    wait(lambda: created(world, name, partitions), 60, "the topic cannot be made anew")


def created(world: World, name: str, partitions: int) -> bool:
    """Whether the topic could be created: the broker deletes one of the same name in its own time."""
    try:
        world.admin.create_topics([NewTopic(name, partitions, config={"cleanup.policy": "compact"})])[name].result()
    except KafkaException:
        return False
    return True


@pytest.mark.parametrize(
    ("setting", "says"),
    [("READINGS_TOPIC", "was made anew"), ("CHANGELOG_TOPIC", "holds nothing")],
)
def test_a_topic_that_was_made_anew_stops_the_start(broker: Broker, tmp_path: Path, setting: str, says: str) -> None:
    """The open windows belong to the offsets of a topic that is gone, or are gone themselves."""
    world = World(broker.bootstrap_servers)
    world.publish(shuffled_year(15)[:1000])
    run(world, tmp_path)
    make_anew(world, setting)
    stops(world, tmp_path, says)


@pytest.mark.parametrize(
    ("setting", "says"),
    # Whoever sees it first says it: the probe by the topic's id, or a partition by its offsets that are not there.
    [("READINGS_TOPIC", r"was made anew|the topic lost messages"), ("CHANGELOG_TOPIC", "was made anew")],
)
def test_a_topic_that_is_made_anew_stops_the_service(broker: Broker, tmp_path: Path, setting: str, says: str) -> None:
    """While the service runs, too."""
    world = World(broker.bootstrap_servers)
    world.publish(shuffled_year(15)[:1000])
    with world.service(tmp_path, INSTANCE_ID="one") as service:
        service.ready()
        world.wait_until_read()
        make_anew(world, setting)
        ended(service, f"{setting}='{world.environ[setting]}'.* ({says})")


@pytest.mark.parametrize("setting", ["READINGS_TOPIC", "CHANGELOG_TOPIC"])
def test_more_partitions_stop_the_service_and_the_start(broker: Broker, tmp_path: Path, setting: str) -> None:
    """Zones fall to other partitions than their open windows: a sentence, while it runs and at the next start."""
    world = World(broker.bootstrap_servers)
    world.publish(shuffled_year(16)[:1000])
    with world.service(tmp_path, INSTANCE_ID="one") as service:
        service.ready()
        world.wait_until_read()
        name = world.environ[setting]
        world.admin.create_partitions([NewPartitions(name, 5)])[name].result()
        ended(service, f"{setting}='{name}' has 5 partitions now")
    stops(world, tmp_path, f"{setting}='{name}' has ")


def test_a_damaged_changelog_stops_the_start(broker: Broker, tmp_path: Path) -> None:
    """A record that is not ours, or whose bytes have changed, is never gone on from."""
    world = World(broker.bootstrap_servers)
    world.publish(shuffled_year(17)[:1000])
    run(world, tmp_path)
    record = next(record for record in reversed(world.log("CHANGELOG_TOPIC")[2]) if record.value)  # no tombstone
    value = bytearray(record.value or b"")
    value[len(value) // 2] ^= 1
    producer = Producer({"bootstrap.servers": world.servers})
    producer.produce(world.environ["CHANGELOG_TOPIC"], bytes(value), record.key, 2)
    assert producer.flush(30) == 0
    stops(world, tmp_path, "partition 2 is no changelog that this program can go on from")


def test_topics_of_results_that_are_gone_are_waited_for(broker: Broker, tmp_path: Path) -> None:
    """They are not made again by writing to them; once somebody has, everything is there, once."""
    world = World(broker.bootstrap_servers)
    names = [world.environ["PREDICTIONS_TOPIC"], world.environ["DEAD_LETTER_TOPIC"]]
    with world.service(tmp_path, INSTANCE_ID="one") as service:
        service.ready()
        for future in world.admin.delete_topics(names).values():
            future.result()
        world.publish(shuffled_year(18)[:3000])
        wait(lambda: service.log.read_text().count("the topic is gone") == 2, 60, "it does not say so")
        wait(lambda: "transaction aborted" in service.log.read_text(), 60, "it does not try")
        time.sleep(3)  # what it does next must not make them either
        assert [find(Admin(world.admin), name) for name in names] == [None, None]
        assert service.get("/healthz")[0] == 200
        for name in names:
            create(world, name, 4)
        world.wait_until_read()
        assert service.stop() == 0
    check(world)
