"""Two deployments must not share a changelog: the second one is refused before it writes, whoever comes first."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from consumer.adapters.claiming import Claiming
from consumer.adapters.logs import Complaints
from consumer.core.claim import Claim
from kafka_local import Broker
from season.client.admin import Admin
from season.topics import find
from tests.integration.test_service import check, shuffled_year
from tests.integration.world import ServiceProcess, World, wait


def beside(world: World) -> World:
    """Another world whose deployment has the same group and, by default, the same changelog."""
    other = World(world.servers, world.partitions)
    other.environ |= {name: world.environ[name] for name in ("CONSUMER_GROUP", "CHANGELOG_TOPIC")}
    return other


def refused(service: ServiceProcess, other: World, setting: str = "READINGS_TOPIC") -> None:
    """Waits for its end, with status 2 and a sentence that names the other one; it took no id and wrote nothing."""
    assert service.process.wait(60) == 2
    said = service.log.read_text()
    assert f"{setting}='{other.environ[setting]}'" in said
    assert "must not share a changelog" in said
    assert "Traceback" not in said
    assert "partitions assigned" not in said


def published(world: World, folder: Path) -> None:
    """A deployment that reads what is there and stops; its successor starts as well."""
    for _ in range(2):
        with world.service(folder, INSTANCE_ID="one") as service:
            service.ready()
            world.wait_until_read()
            assert service.stop() == 0


def test_a_second_deployment_is_refused(broker: Broker, tmp_path: Path) -> None:
    """While the first one runs and when it is away; the first, one of several, a restart, is let in every time."""
    first = World(broker.bootstrap_servers)
    second = beside(first)
    for world in (first, second):
        world.publish(shuffled_year(21)[:2000])
    with first.service(tmp_path, INSTANCE_ID="one") as service:
        service.ready()
        # With the same INSTANCE_ID, as on one host: it must not take the other's transactional.id either.
        with second.service(tmp_path, INSTANCE_ID="one") as stranger:
            refused(stranger, first)
        first.publish(shuffled_year(21)[2000:3000])
        first.wait_until_read()
        assert service.stop() == 0
    with second.service(tmp_path, INSTANCE_ID="two") as stranger:
        refused(stranger, first)
    published(first, tmp_path)
    check(first)
    assert second.flat("PREDICTIONS_TOPIC") == second.flat("DEAD_LETTER_TOPIC") == []
    second.environ |= {"CONSUMER_GROUP": f"{second.name}.group", "CHANGELOG_TOPIC": f"{second.name}.group.windows"}
    published(second, tmp_path)  # as the sentence says
    check(second)


def test_another_group_is_refused_too(broker: Broker, tmp_path: Path) -> None:
    """The same readings and the same CHANGELOG_TOPIC under two groups: each would take the other's partitions."""
    first = World(broker.bootstrap_servers)
    published(first, tmp_path)
    second = World(broker.bootstrap_servers)
    second.environ |= {name: first.environ[name] for name in ("READINGS_TOPIC", "CHANGELOG_TOPIC")}
    with second.service(tmp_path) as stranger:
        refused(stranger, first, "CONSUMER_GROUP")


@pytest.mark.parametrize("attempt", range(4))
def test_of_two_that_start_at_once_one_is_refused(broker: Broker, tmp_path: Path, attempt: int) -> None:
    """On an empty changelog, several instances each: all of one deployment are ready, all of the other end."""
    worlds = [World(broker.bootstrap_servers)]
    worlds.append(beside(worlds[0]))
    with started(worlds, tmp_path, attempt) as services:
        wait(lambda: sum(s.process.poll() is not None for s in services[0] + services[1]) == 2, 60, "both go on")
        holder = 0 if services[1][0].process.poll() is not None else 1
        for stranger in services[1 - holder]:
            refused(stranger, worlds[holder])
        worlds[holder].publish(shuffled_year(22)[:1000])
        for service in services[holder]:
            service.ready()
        worlds[holder].wait_until_read()
        for service in services[holder]:
            assert service.stop() == 0
    published(worlds[holder], tmp_path)
    check(worlds[holder])
    with worlds[1 - holder].service(tmp_path) as stranger:
        refused(stranger, worlds[holder])


@contextmanager
def started(worlds: list[World], folder: Path, attempt: int) -> Iterator[list[list[ServiceProcess]]]:
    """Two instances of each, all at once, in another order each time."""
    with ExitStack() as stack:
        services: list[list[ServiceProcess]] = [[], []]
        for number in range(4):
            which = (number + attempt) % 2
            service = worlds[which].service(folder, INSTANCE_ID=f"{which}-{number}")
            services[which].append(stack.enter_context(service))
        yield services


def claim_of(world: World) -> Claim:
    """What a deployment claims."""
    readings = find(Admin(world.admin), world.environ["READINGS_TOPIC"])
    assert readings is not None
    return Claim(world.environ["CONSUMER_GROUP"], readings.name, readings.topic_id)


def test_a_kill_behind_the_claim_leaves_the_changelog_to_whom_it_was(broker: Broker, tmp_path: Path) -> None:
    """Who was killed before it could read its claim back is let in, and nobody else, whoever claimed after it."""
    first = World(broker.bootstrap_servers)
    second = beside(first)
    changelog = first.environ["CHANGELOG_TOPIC"]
    config = {"cleanup.policy": "compact"}
    first.admin.create_topics([NewTopic(changelog, first.partitions, config=config)])[changelog].result()
    for world in (first, second):  # both found it empty, and both were killed
        Claiming(world.environ, changelog, lambda: False, Complaints(), lambda _: 0.0).write(claim_of(world))
    claims = [record.key for record in first.flat("CHANGELOG_TOPIC")]
    assert len(set(claims)) == 2  # else compaction would keep the latest alone
    with second.service(tmp_path) as stranger:
        refused(stranger, first)
    published(first, tmp_path)
