"""What the service and the producer write can be read by clients as they are installed, without extras."""

import base64
import json
import os
import subprocess
import sys

import pytest
from confluent_kafka import Producer

from kafka_local import Broker
from tests.clients.node import HERE, NoRegistryError, node, packages
from tests.integration.world import ROOT, World

READ = ("READINGS_TOPIC", "PREDICTIONS_TOPIC", "DEAD_LETTER_TOPIC")
SECONDS = 120

Row = tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""Partition, offset, key, value, headers."""


@pytest.fixture(scope="module")
def world(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two months of real readings from the producer, and what becomes a dead letter, worked off by the service."""
    world, folder = World(broker.bootstrap_servers, partitions=2), tmp_path_factory.mktemp("clients")
    with world.service(folder) as service:
        publish_months(world)
        world.publish(
            [{"key": b"IT", "value": b"no JSON", "headers": [("h", b"\xff"), ("h", None), ("h", b"")]}] * 200
        )
        world.publish([{"key": None, "value": None, "partition": 1}])
        # Nearly as large as a dead letter can be.
        world.publish([{"key": b"IT", "value": bytes(range(256)) * 8000}])
        world.wait_until_read()
        assert service.stop() == 0
    for setting in READ:
        abort_one(world, setting)
    return world


def publish_months(world: World) -> None:
    """Publish as a user does."""
    command = [
        sys.executable, "-m", "producer", "data/italy_load_2015_2021.csv", "--zone", "IT", "--demand-column",
        "load_mw", "--since", "2021-01-01", "--until", "2021-03-01",
    ]  # fmt: skip
    environ = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")} | world.environ
    subprocess.run(command, cwd=ROOT, env=environ, check=True, timeout=SECONDS, capture_output=True)


def abort_one(world: World, setting: str) -> None:
    """Leave a message on each partition that no subscriber may see, and one behind it that each sees."""
    producer = Producer({"bootstrap.servers": world.servers, "transactional.id": f"{world.name}.{setting}"})
    producer.init_transactions(SECONDS)
    for value, end in ((b"aborted", producer.abort_transaction), (b"last", producer.commit_transaction)):
        producer.begin_transaction()
        for partition in range(world.partitions):
            producer.produce(world.topic(setting), value, partition=partition)
        producer.flush(SECONDS)
        end(SECONDS)


def expected(world: World, setting: str) -> list[Row]:
    """What a `read_committed` subscriber made of librdkafka sees."""
    rows = [(m.partition, m.offset, m.key, m.value, m.headers) for m in world.flat(setting)]
    assert len([row for row in rows if row[3] == b"last"]) == world.partitions
    return sorted(rows, key=lambda row: row[:2])


def rows_of(lines: str) -> list[Row]:
    """What a client has printed."""
    seen = []
    for line in lines.splitlines():
        partition, offset, key, value, headers = json.loads(line)
        seen.append((partition, offset, plain(key), plain(value), [(name, plain(data)) for name, data in headers]))
    return sorted(seen, key=lambda row: row[:2])


def plain(data: str | None) -> bytes | None:
    """Bytes that came as base64."""
    return None if data is None else base64.b64decode(data)


@pytest.mark.parametrize("setting", READ)
def test_kafkajs_reads_what_is_written(world: World, setting: str) -> None:
    """As npm installs it: every committed message of the topic, its headers too, to the last byte."""
    try:
        packages()
    except NoRegistryError as error:
        pytest.skip(f"kafkajs cannot be installed: no npm registry can be reached ({error})")
    rows = expected(world, setting)
    done = node("read.js", world.servers, world.topic(setting), str(len(rows)), seconds=SECONDS)
    assert done.returncode == 0, done.stderr
    assert rows_of(done.stdout) == rows


@pytest.mark.parametrize("setting", READ)
def test_kafka_python_reads_what_is_written(world: World, setting: str) -> None:
    """As pip installs it: the same."""
    rows = expected(world, setting)
    command = [sys.executable, str(HERE / "read.py"), world.servers, world.topic(setting), str(len(rows))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    assert rows_of(done.stdout) == rows
