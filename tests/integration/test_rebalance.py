"""Members come and go: partitions move one by one, static members get theirs again, names are fenced."""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import Producer

from kafka_local import Broker
from tests.integration.test_service import check, shuffled_year
from tests.integration.traffic import tell, traffic, went_on
from tests.integration.world import ServiceProcess, World, group_world, wait

PROTOCOLS = ["classic", "consumer"]
SESSION = 20_000  # milliseconds within which a member that was stopped is surely back, on a busy machine too
# Under the newer protocol sessions and heartbeats are the broker's: 45 s and 5 s by default.
QUICK = {
    "group.consumer.min.session.timeout.ms": str(SESSION),
    "group.consumer.session.timeout.ms": str(SESSION),
    "group.consumer.min.heartbeat.interval.ms": "500",
    "group.consumer.heartbeat.interval.ms": "500",
}


REFUSED = (
    "KAFKA_GROUP_INSTANCE_ID='same': the group still has a member of this name, living or not; asking again; a dead "
    "member is waited for no longer than 20 s (the broker's session timeout)"
)


@pytest.fixture(scope="module")
def quick() -> Iterator[Broker]:
    """A broker whose sessions are short under both protocols."""
    with Broker(settings=QUICK) as running:
        yield running


def said(service: ServiceProcess, text: str) -> int:
    """How often its log says so."""
    return service.log.read_text().count(text)


def held(service: ServiceProcess) -> set[int]:
    """The partitions that it holds, as its log tells."""
    partitions: set[int] = set()
    for event in service.events():
        if event["event"] == "partitions assigned":
            partitions |= set(event["partitions"])
        elif event["event"] in {"partitions revoked", "partitions lost"}:
            partitions -= set(event["partitions"])
    return partitions


def flows(service: ServiceProcess, times: int = 1) -> None:
    """Waits until a partition of this service has been restored, so many times."""
    wait(lambda: said(service, "partition restored") >= times, 60, "it gets no partition")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_second_instance_takes_over_half_and_then_all(quick: Broker, tmp_path: Path, protocol: str) -> None:
    """Partitions move to a newcomer with their open windows, and to it alone when the first one stops."""
    world = group_world(quick, protocol)
    messages = shuffled_year(4)[:9000]
    with world.service(tmp_path, INSTANCE_ID="one") as one:
        world.publish(messages[:3000])
        world.wait_until_read()
        with world.service(tmp_path, INSTANCE_ID="two") as two:
            flows(two)
            world.publish(messages[3000:6000])
            world.wait_until_read()
            assert one.stop() == 0
            world.publish(messages[6000:])
            world.wait_until_read()
            assert two.stop() == 0
    check(world)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_rolling_restart_stops_no_partition_for_long(quick: Broker, tmp_path: Path, protocol: str) -> None:
    """Each of four instances is stopped and started again under load; each partition goes on within seconds.

    What was measured is printed: with `pytest -s`, the longest stop of each partition at each restart.
    """
    world = group_world(quick, protocol, 8)
    if protocol == "classic":
        world.environ["KAFKA_SESSION_TIMEOUT_MS"] = str(SESSION)
    with ExitStack() as stack:
        services = [stack.enter_context(world.service(tmp_path, INSTANCE_ID=str(n))) for n in range(4)]
        for service in services:
            flows(service)
        with traffic(world):
            time.sleep(2)
            for number in range(4):
                began = time.time()
                assert services[number].stop() == 0
                services[number] = stack.enter_context(world.service(tmp_path, INSTANCE_ID=str(number)))
                flows(services[number])
                time.sleep(2)
                # A member that leaves no word holds its partitions for its session.
                assert max(tell(f"{protocol}, restart of instance {number}", world, began)) < SESSION / 1000
        world.wait_until_read()
        assert [service.stop() for service in services] == [0] * 4
    check(world)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_static_member_gets_its_partitions_again(quick: Broker, tmp_path: Path, protocol: str) -> None:
    """A restart with KAFKA_GROUP_INSTANCE_ID moves no partition of another member; a killed one tries until it may.

    Under the newer protocol a member that was killed is refused until its old session ends.
    """
    world = group_world(quick, protocol)
    if protocol == "classic":
        world.environ["KAFKA_SESSION_TIMEOUT_MS"] = str(SESSION)
    messages = shuffled_year(9)[:9000]
    with ExitStack() as stack:

        def start(name: str) -> ServiceProcess:
            names = {"INSTANCE_ID": name, "KAFKA_GROUP_INSTANCE_ID": name}
            return stack.enter_context(world.service(tmp_path, COMMIT_INTERVAL="300ms", **names))

        one, other = start("one"), start("other")
        wait(lambda: len(held(one)) == len(held(other)) == 2, 60, "the two do not share")
        world.publish(messages[:3000])
        world.wait_until_read()
        his, moved = held(one), said(other, "partitions revoked")
        world.publish(messages[3000:6000])
        assert one.stop() == 0
        one = start("one")
        wait(lambda: held(one) == his, 60, "it does not get its partitions again")
        assert said(other, "partitions revoked") == moved
        world.publish(messages[6000:])
        one.kill()
        one = start("one")
        flows(one)
        world.wait_until_read()
        if protocol == "consumer":
            assert said(one, "KAFKA_GROUP_INSTANCE_ID='one': the group still has a member of this name") > 0
        else:
            assert held(one) == his
            assert said(other, "partitions revoked") == moved
        assert [one.stop(), other.stop()] == [0, 0]
    check(world)


def test_of_two_static_members_of_one_name_the_older_stops(quick: Broker, tmp_path: Path) -> None:
    """The classic protocol fences the older one: it ends with status 1 and names the setting; nothing is doubled."""
    world = group_world(quick, "classic")
    with world.service(tmp_path, INSTANCE_ID="one", KAFKA_GROUP_INSTANCE_ID="same") as older:
        flows(older)
        with world.service(tmp_path, INSTANCE_ID="two", KAFKA_GROUP_INSTANCE_ID="same") as newer:
            world.publish(shuffled_year(10)[:3000])
            assert older.process.wait(60) == 1
            assert "KAFKA_GROUP_INSTANCE_ID='same': a newer member of this name has joined" in older.log.read_text()
            assert "Traceback" not in older.log.read_text()
            world.wait_until_read()
            assert newer.stop() == 0
    check(world)


def test_of_two_static_members_of_one_name_the_newcomer_waits(quick: Broker, tmp_path: Path) -> None:
    """The newer protocol refuses the newcomer: it is healthy, not ready, asks again, and takes over in the end."""
    world = group_world(quick, "consumer")
    messages = shuffled_year(10)[:6000]
    with world.service(tmp_path, INSTANCE_ID="one", KAFKA_GROUP_INSTANCE_ID="same") as older:
        flows(older)
        with world.service(tmp_path, INSTANCE_ID="two", KAFKA_GROUP_INSTANCE_ID="same") as newer:
            wait(lambda: said(newer, "asking again") > 0, 60, "it does not say that it asks again")
            assert (newer.get("/healthz")[0], newer.get("/readyz")) == (200, (503, f"{REFUSED}\n"))
            assert "season_lag_messages" not in newer.metrics()
            world.publish(messages[:3000])
            world.wait_until_read()
            assert older.stop() == 0
            world.publish(messages[3000:])
            flows(newer)
            newer.ready()
            assert said(newer, REFUSED) == said(newer, "asking again") == 1
            world.wait_until_read()
            assert newer.stop() == 0
    check(world)


def test_a_broker_without_the_newer_protocol_stops_the_service(tmp_path: Path) -> None:
    """The setting is named, and what is allowed: waiting would be for nothing."""
    with Broker(settings={"group.coordinator.rebalance.protocols": "classic"}) as older:
        world = group_world(older, "consumer")
        with world.service(tmp_path) as service:
            assert service.process.wait(60) == 2
            assert "KAFKA_GROUP_PROTOCOL='consumer': this broker does not speak it" in service.log.read_text()
            assert "Traceback" not in service.log.read_text()


def test_what_stays_flows_while_what_comes_is_restored(broker: Broker, tmp_path: Path) -> None:
    """A partition that waits for its changelog (another's open transaction is in it) holds no other one up."""
    world = World(broker.bootstrap_servers)
    patient = {"transactional.id": f"{world.name}.foreign", "transaction.timeout.ms": 600_000}
    foreign = Producer({"bootstrap.servers": broker.bootstrap_servers, **patient})
    foreign.init_transactions(30)
    with world.service(tmp_path, INSTANCE_ID="one") as one, traffic(world):
        flows(one, 4)
        with world.service(tmp_path, INSTANCE_ID="two") as two:
            flows(two, 2)
            stay, come = held(one), held(two)
            foreign.begin_transaction()
            for partition in come:
                foreign.produce(world.environ["CHANGELOG_TOPIC"], b"undone", b"0", partition)
            foreign.flush(30)
            assert two.stop() == 0
        wait(lambda: one.get("/readyz") == (503, f"partitions being restored: {listed(come)}\n"), 60, "not told")
        began = time.time()
        wait(lambda: stay <= went_on(world, began), 60, "what stays does not go on")
        assert not come & went_on(world, began)
        assert one.get("/readyz")[0] == 503
        metrics = one.metrics()
        shown = {name for name in metrics if "lag_messages" in name}
        assert shown == {f'season_partition_lag_messages{{partition="{partition}"}}' for partition in stay}
        assert metrics["season_restoring_partitions"] == len(come)
        assert not any(math.isnan(value) for value in metrics.values())
        foreign.abort_transaction(30)
        one.ready()
    with world.service(tmp_path, INSTANCE_ID="one") as one:
        one.ready()
        world.wait_until_read()
        assert one.stop() == 0
    check(world)


def listed(partitions: set[int]) -> str:
    """Partitions as /readyz tells them."""
    return ", ".join(map(str, sorted(partitions)))


def test_an_instance_that_stands_still_joins_again(broker: Broker, tmp_path: Path) -> None:
    """Paused beyond its session and its transaction, while another takes over: it drops what it had, and goes on."""
    world = World(broker.bootstrap_servers)
    messages = shuffled_year(6)[:16000]
    with world.service(tmp_path, INSTANCE_ID="one", COMMIT_INTERVAL="800ms") as one:
        one.ready()
        world.publish(messages[:8000])
        one.process.send_signal(signal.SIGSTOP)
        with world.service(tmp_path, INSTANCE_ID="two") as two:
            world.wait_until_read(120)
            time.sleep(6)
            one.process.send_signal(signal.SIGCONT)
            wait(lambda: one.log.read_text().count("partitions assigned") > 1, 60, "it does not join again")
            world.publish(messages[8000:])
            world.wait_until_read(120)
            assert (one.stop(), two.stop()) == (0, 0)
    check(world)
