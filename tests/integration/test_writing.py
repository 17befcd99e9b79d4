"""Ready means that it can write, too: what the broker refuses is said once, with what to do, and waited for."""

import re
import time
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from consumer.adapters.refusal import Refusal, Remedies
from kafka_local import Broker
from season.client.admin import Admin
from season.client.errors import ClientError, Code
from season.topics import Topics, ensure
from tests.integration.test_coordinators import TWICE
from tests.integration.test_service import check, shuffled_year
from tests.integration.world import ServiceProcess, World, wait


def configure(world: World, topic: str, config: dict[str, str]) -> None:
    """Changes a topic's settings, as an administrator does while programs use it."""
    entries = [ConfigEntry(*item, incremental_operation=AlterConfigOpType.SET) for item in config.items()]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    world.admin.incremental_alter_configs([resource])[resource].result()


def said(service: ServiceProcess, event: str) -> list[str]:
    """What its log says with an event, each time."""
    return [entry.get("why", "") for entry in service.events() if entry["event"] == event]


def cannot_write(service: ServiceProcess, *says: str) -> None:
    """Waits until /readyz says that it cannot write, and why; the log says the same, once, however long it lasts."""
    wait(lambda: all(text in service.get("/readyz")[1] for text in says), 60, f"/readyz does not say {says}")
    assert service.get("/readyz")[0] == 503
    assert service.get("/healthz")[0] == 200
    aborted = len(said(service, "transaction aborted: going back to what was last committed"))
    time.sleep(5)  # some more tries
    assert len(said(service, "transaction aborted: going back to what was last committed")) == aborted
    lines = said(service, "cannot write; trying again until it can")
    assert len(lines) == len(set(lines)), lines
    assert [line for line in lines if all(text in line for text in says)], lines


def test_a_clock_that_is_two_hours_ahead(broker: Broker, tmp_path: Path) -> None:
    """Not ready, with the topic, the clocks' difference and the limit, for the claim and for transactions alike.

    It goes on by itself once the broker takes such times.
    """
    world = World(broker.bootstrap_servers)
    changelog = world.environ["CHANGELOG_TOPIC"]
    says = (
        f"CHANGELOG_TOPIC='{changelog}'",
        "INVALID_TIMESTAMP",
        "this host's clock says 20",
        "after.max.ms (it is 3600000)",
    )
    with ServiceProcess(world.environ, tmp_path / "log", "tests.integration.ahead") as service:
        cannot_write(service, *says)
        configure(world, changelog, _late(24))
        service.ready()
        configure(world, changelog, _late(1))
        world.publish(shuffled_year(31)[:4000])
        cannot_write(service, *says, " s ahead of the broker's: set the clocks right")
        assert service.metrics()['season_transactions_total{result="aborted"}'] >= 3
        for setting in ("PREDICTIONS_TOPIC", "DEAD_LETTER_TOPIC", "CHANGELOG_TOPIC"):
            configure(world, world.environ[setting], _late(24))
        service.ready()
        world.wait_until_read()
        assert len(said(service, "can write again")) == 2
        assert service.metrics()['season_transactions_total{result="committed"}'] >= 1
        assert service.stop() == 0
    check(world)


def _late(hours: int) -> dict[str, str]:
    """How far ahead of the broker's clock a message may be."""
    return {"message.timestamp.after.max.ms": str(hours * 3_600_000)}


def test_the_clocks_difference_is_told(broker: Broker) -> None:
    """Where the broker lets this program see when its coordinator wrote last: by how much this host is ahead."""
    world = World(broker.bootstrap_servers)
    admin = Admin(world.admin)
    topics = ensure(admin, Topics.from_environment(world.environ))
    producer = Producer({"bootstrap.servers": world.servers, "transactional.id": world.name})
    producer.init_transactions(30)
    for wrong, way, limit in ((7200, "ahead of", "after"), (-7200, "behind", "before")):
        remedies = Remedies(admin, topics, lambda wrong=wrong: time.time() + wrong)  # type: ignore[misc]
        refusal = Refusal(ClientError(Code.INVALID_TIMESTAMP), topics.predictions.name, transactional=True)
        sentence = remedies(refusal)
        found = re.search(
            rf"([0-9]+) s {way} the broker's: .* raise the topic's message\.timestamp\.{limit}\.max\.ms", sentence
        )
        assert found, sentence
        assert abs(int(found[1]) - 7200) < 300


def test_replicas_that_are_away(tmp_path: Path) -> None:
    """Of a topic that it writes to, and of the coordinator's own: not ready, with the topic; then it goes on."""
    with Broker(tmp_path / "one", TWICE) as one, Broker(tmp_path / "two", TWICE, joins=one) as two:
        world = World(f"{one.bootstrap_servers},{two.bootstrap_servers}")
        messages = shuffled_year(33)[:6000]
        with world.service(tmp_path) as service:
            service.ready()
            world.publish(messages[:2000])
            world.wait_until_read()
            for number, topic in enumerate((world.environ["PREDICTIONS_TOPIC"], "__transaction_state"), 1):
                before = len(said(service, "can write again"))
                configure(world, topic, {"min.insync.replicas": "2"})
                two.stop()
                world.publish(messages[number * 2000 : (number + 1) * 2000])
                cannot_write(service, f"{topic}' has 1 of the 2 replicas in sync")
                two.start()
                service.ready(120)
                world.wait_until_read(120)
                assert len(said(service, "can write again")) > before
                configure(world, topic, {"min.insync.replicas": "1"})
            assert service.stop() == 0
        check(world)


def test_batches_that_are_too_large_become_smaller(broker: Broker, tmp_path: Path) -> None:
    """A topic that takes a message, but not as many together as a backlog gives: smaller transactions are taken."""
    world = World(broker.bootstrap_servers)
    with world.service(tmp_path) as service:
        service.ready()
        configure(world, world.environ["PREDICTIONS_TOPIC"], {"max.message.bytes": "2000"})  # while it runs
        world.publish(shuffled_year(34)[:6000])
        world.wait_until_read(120)
        assert service.metrics()['season_transactions_total{result="aborted"}'] >= 1
        assert service.stop() == 0
    check(world)


@pytest.mark.parametrize(
    ("setting", "config", "says"),
    [
        ("CHANGELOG_TOPIC", {"max.message.bytes": "200"}, r"max\.message\.bytes \(it is 200\)"),
        ("DEAD_LETTER_TOPIC", {"cleanup.policy": "compact"}, r"cleanup\.policy must be delete"),
    ],
)
def test_what_never_passes_ends_it(
    broker: Broker, tmp_path: Path, setting: str, config: dict[str, str], says: str
) -> None:
    """A topic that never takes a message: status 1, and a sentence with the topic and what to do."""
    world = World(broker.bootstrap_servers)
    with world.service(tmp_path) as service:
        service.ready()
        configure(world, world.environ[setting], config)
        world.publish([{"key": None, "value": b"a message without a key", "partition": 0}])
        assert service.process.wait(120) == 1
        log = service.log.read_text()
    assert re.search(rf"{setting}='{world.environ[setting]}'.*{says}", log), log
    assert "Traceback" not in log
