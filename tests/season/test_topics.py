"""The four topics: their names, their creation on a real broker, and what stops a start."""

import logging
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from kafka_local import Broker
from season.cli import StoppedError
from season.client.admin import Admin, admin_client
from season.kafka import connect
from season.settings import SettingError
from season.topics import (
    DEAD_LETTER_BYTES,
    Described,
    Topic,
    Topics,
    batch_bytes,
    dead_letter_bytes,
    ensure,
    ensure_readings,
    find,
)

SILENT = logging.Logger("silent")
SILENT.addHandler(logging.NullHandler())


def test_the_names_by_default() -> None:
    """The defaults of the interface; the changelog is named after the group."""
    assert Topics.from_environment({}) == Topics(
        "readings", "predictions", "readings.dead-letter", "season-consumer.windows", partitions=4, create=True
    )
    assert Topics.from_environment({"CONSUMER_GROUP": "night"}).changelog == "night.windows"


def test_all_of_it_can_be_set() -> None:
    """Each name, the number of partitions and whether to create."""
    environ = {
        "READINGS_TOPIC": "r",
        "PREDICTIONS_TOPIC": "p",
        "DEAD_LETTER_TOPIC": "d",
        "CHANGELOG_TOPIC": "c",
        "TOPIC_PARTITIONS": "1",
        "CREATE_TOPICS": "false",
    }
    assert Topics.from_environment(environ) == Topics("r", "p", "d", "c", 1, create=False)


@pytest.mark.parametrize("name", ["__consumer_offsets", "__transaction_state", "__cluster_metadata"])
def test_kafkas_own_topics_are_refused(name: str) -> None:
    """What is written to those would harm the broker."""
    with pytest.raises(SettingError, match=rf"^PREDICTIONS_TOPIC='{name}': this topic is Kafka's own"):
        Topics.from_environment({"PREDICTIONS_TOPIC": name})


@pytest.mark.parametrize(
    "environ",
    [
        {"READINGS_TOPIC": "predictions"},
        {"DEAD_LETTER_TOPIC": "x", "CHANGELOG_TOPIC": "x"},
        {"PREDICTIONS_TOPIC": "season-consumer.windows"},
    ],
)
def test_two_topics_of_one_name_are_refused(environ: dict[str, str]) -> None:
    """They are four different topics: the sentence names both settings."""
    with pytest.raises(SettingError, match=r"_TOPIC='.*': .*_TOPIC is the same topic, but four different"):
        Topics.from_environment(environ)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"READINGS_TOPIC": "a/b"}, "READINGS_TOPIC='a/b': a topic's name"),
        ({"READINGS_TOPIC": ".."}, "READINGS_TOPIC='..': a topic's name"),
        ({"CONSUMER_GROUP": "a b"}, r"CHANGELOG_TOPIC='a b.windows' \(from CONSUMER_GROUP\): a topic's name"),
        ({"TOPIC_PARTITIONS": "0"}, "TOPIC_PARTITIONS='0': a whole number from 1 to"),
        ({"CREATE_TOPICS": "maybe"}, "CREATE_TOPICS='maybe': true or false is allowed"),
    ],
)
def test_wrong_values_are_named(environ: dict[str, str], sentence: str) -> None:
    """Setting, value and what is allowed."""
    with pytest.raises(SettingError, match=f"^{sentence}"):
        Topics.from_environment(environ)


@pytest.fixture
def admin(broker: Broker) -> Admin:
    """A client of ours for the shared broker."""
    return connect({"bootstrap.servers": broker.bootstrap_servers}, log=lambda _: None)


@pytest.fixture
def raw(broker: Broker) -> AdminClient:
    """Kafka's own, for what a person does."""
    return AdminClient({"bootstrap.servers": broker.bootstrap_servers})


@pytest.fixture
def topics() -> Topics:
    """Four names that no other test has."""
    name = uuid.uuid4().hex
    return Topics(f"{name}.r", f"{name}.p", f"{name}.d", f"{name}.w", partitions=3, create=True)


def config_of(admin: AdminClient, topic: str) -> dict[str, str]:
    """The settings of a topic as the broker has them."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    entries = admin.describe_configs([resource])[resource].result()
    return {name: entry.value for name, entry in entries.items()}


def make(admin: AdminClient, name: str, partitions: int, **config: str) -> None:
    """Create a topic as a user would."""
    new = NewTopic(name, partitions, config={key.replace("_", "."): value for key, value in config.items()})
    admin.create_topics([new])[name].result()


def test_missing_topics_are_created(admin: Admin, topics: Topics) -> None:
    """`readings` with TOPIC_PARTITIONS, the others with as many; a second start finds the same ones."""
    first = ensure(admin, topics)
    assert first.readings == find(admin, topics.readings)
    assert {topic.partitions for topic in all_of(first)} == {3}
    assert len({topic.topic_id for topic in all_of(first)}) == 4
    assert ensure(admin, replace(topics, partitions=5, create=False)) == first


def test_the_others_get_as_many_partitions_as_readings_has(admin: Admin, topics: Topics) -> None:
    """Whatever TOPIC_PARTITIONS says, when a producer or a person was first."""
    assert ensure_readings(admin, topics).partitions == 3
    described = ensure(admin, replace(topics, partitions=7))
    assert {topic.partitions for topic in all_of(described)} == {3}


def test_two_programs_may_create_at_once(admin: Admin, topics: Topics) -> None:
    """Whoever comes second takes what the first has made."""
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: ensure(admin, topics), range(4)))
    assert len(set(results)) == 1


def test_asking_never_creates(admin: Admin, raw: AdminClient, topics: Topics) -> None:
    """The broker creates topics by itself where it is asked wrongly; this one would, and does not."""
    assert find(admin, topics.readings) is None
    with pytest.raises(
        SettingError, match=r"^READINGS_TOPIC='.*\.r': there is no such topic, and CREATE_TOPICS=false"
    ):
        ensure(admin, replace(topics, create=False))
    assert topics.readings not in raw.list_topics(timeout=10).topics


def test_the_changelog_is_compacted_while_it_is_used(admin: Admin, raw: AdminClient, topics: Topics) -> None:
    """Small and young segments, cleaned early: with the broker's defaults it would grow for a week."""
    ensure(admin, topics)
    config = config_of(raw, topics.changelog)
    assert config["cleanup.policy"] == "compact"
    assert int(config["segment.bytes"]) <= 64 * 2**20
    assert int(config["segment.ms"]) <= 3_600_000
    assert float(config["min.cleanable.dirty.ratio"]) <= 0.1


def test_the_changelog_alone_is_packed_by_the_broker(admin: Admin, raw: AdminClient, topics: Topics) -> None:
    """What others read stays as it is written, for clients that can unpack nothing."""
    ensure(admin, topics)
    names = (topics.readings, topics.predictions, topics.dead_letters, topics.changelog)
    packed = [config_of(raw, name)["compression.type"] for name in names]
    assert packed == ["producer", "producer", "producer", "lz4"]


def test_the_largest_batch_is_what_the_least_of_the_topics_takes(
    admin: Admin, raw: AdminClient, topics: Topics
) -> None:
    """The topics that we write to: what `readings` takes is its publishers' matter."""
    for name, limit in ((topics.readings, 1000), (topics.predictions, 3000), (topics.dead_letters, 2000)):
        made = NewTopic(name, 3, config={"max.message.bytes": str(limit)})
        raw.create_topics([made])[name].result()
    described = ensure(admin, topics)
    assert batch_bytes(admin, described) == dead_letter_bytes(admin, described) == 2000


def test_a_dead_letter_of_two_mebibytes_fits(broker: Broker, admin: Admin, topics: Topics) -> None:
    """Value, key and headers of 2 MiB together are delivered, incompressible as they may be."""
    ensure(admin, topics)
    delivered: list[KafkaError | None] = []
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "message.max.bytes": 4_000_000})
    headers: dict[str, str | bytes | None] = {f"header-{n:02}": b"x" * 1000 for n in range(100)}
    size = DEAD_LETTER_BYTES - 100 * (len("header-00") + 1000) - 100
    producer.produce(
        topics.dead_letters,
        bytes(size),
        b"k" * 100,
        headers=headers,
        on_delivery=lambda error, _: delivered.append(error),
    )
    assert producer.flush(30) == 0
    assert delivered == [None]


def test_a_changelog_of_another_width_stops_with_advice(admin: Admin, raw: AdminClient, topics: Topics) -> None:
    """Where `readings` was given more partitions, the sentence says what to do."""
    ensure(admin, topics)
    raw.create_partitions([NewPartitions(topics.readings, 6)])[topics.readings].result()
    while (found := find(admin, topics.readings)) is None or found.partitions != 6:
        time.sleep(0.05)
    with pytest.raises(SettingError, match=r"has 3 partitions, but .* has 6: .*Take a new CONSUMER_GROUP"):
        ensure(admin, topics)


def test_a_changelog_that_forgets_by_age_is_refused(admin: Admin, raw: AdminClient, topics: Topics) -> None:
    """A topic that a person made with the broker's defaults would lose open windows in silence."""
    make(raw, topics.readings, 1)
    make(raw, topics.changelog, 1)
    with pytest.raises(SettingError, match=r"^CHANGELOG_TOPIC='.*' has cleanup.policy=delete, but only compact"):
        ensure(admin, topics)


def test_a_topic_made_anew_has_another_id(admin: Admin, raw: AdminClient, topics: Topics) -> None:
    """The name alone does not tell."""
    first = ensure_readings(admin, topics)
    raw.delete_topics([topics.readings])[topics.readings].result()
    while find(admin, topics.readings) is not None:
        time.sleep(0.05)
    assert ensure_readings(admin, topics).topic_id != first.topic_id


def test_what_the_broker_refuses_is_told_in_its_words(admin: Admin, topics: Topics) -> None:
    """Names that differ only in '.' and '_' collide for the broker."""
    ensure_readings(admin, topics)
    with pytest.raises(SettingError, match=r"^READINGS_TOPIC='.*': the broker refuses this topic: .*collides"):
        ensure_readings(admin, replace(topics, readings=topics.readings.replace(".", "_")))


def test_a_stop_ends_the_wait(topics: Topics) -> None:
    """A broker that went away between two questions does not hold a program that was asked to end."""
    absent = admin_client({"bootstrap.servers": "127.0.0.1:1", "logger": SILENT})
    with pytest.raises(StoppedError):
        ensure(absent, topics, stopped=lambda: True)


def all_of(described: Described) -> list[Topic]:
    """The four topics."""
    return [described.readings, described.predictions, described.dead_letters, described.changelog]
