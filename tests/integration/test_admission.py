"""An instance is ready once it has an assignment, and shows a lag while it knows one, whatever was killed before."""

import math
import re
from pathlib import Path

import pytest

from kafka_local import Broker
from tests.integration.test_service import check, shuffled_year
from tests.integration.world import ROOT, ServiceProcess, World, group_world, wait

SESSION_MS = 15_000  # long enough to see the wait for it on a busy machine
LONG_MS = 300_000  # nobody waits for this one
WAITS = (
    "the group has not let this member in yet; a dead member is waited for no longer than 15 s (session.timeout.ms)"
)


def lags(service: ServiceProcess) -> dict[str, float]:
    """The series of the lag that its /metrics shows; no series of any name may be NaN."""
    metrics = service.metrics()
    assert not [name for name, value in metrics.items() if math.isnan(value)]
    return {name: value for name, value in metrics.items() if "lag_messages" in name}


def test_a_member_that_the_group_does_not_let_in_is_not_ready(broker: Broker, tmp_path: Path) -> None:
    """Killed and restarted at once: while the dead one's session lasts, neither ready nor a lag; it says so once."""
    world = World(broker.bootstrap_servers)
    world.environ["KAFKA_SESSION_TIMEOUT_MS"] = str(SESSION_MS)
    with world.service(tmp_path, INSTANCE_ID="one") as one:
        one.ready()
        wait(lambda: lags(one).get("season_lag_messages") == 0, 20, "the lag is not known")
        one.kill()
    with world.service(tmp_path, INSTANCE_ID="one") as one:
        world.publish(shuffled_year(3)[:240])
        wait(lambda: one.log.read_text().count(WAITS) == 1, 20, "it does not say that it waits")
        assert one.get("/readyz") == (503, f"{WAITS}\n")
        assert lags(one) == {}
        assert world.behind() == 240
        # All the time until it is let in: no "ready", and no lag that nobody knows.
        while one.get("/readyz")[0] != 200:
            known, events = lags(one), {event["event"] for event in one.events()}
            assert not known or "partitions assigned" in events
        assert "partitions assigned" in {event["event"] for event in one.events()}
        world.wait_until_read()
        every = {"season_lag_messages", *(f'season_partition_lag_messages{{partition="{n}"}}' for n in range(4))}
        wait(lambda: lags(one) == dict.fromkeys(every, 0), 20, "the lag is not 0")
        assert one.log.read_text().count("has not let this member in yet") == 1
        assert one.stop() == 0
    check(world)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_an_instance_beyond_the_partitions_becomes_ready(broker: Broker, tmp_path: Path, protocol: str) -> None:
    """An empty assignment is one: ready, nothing to read, no partition; the series go where the partition goes."""
    world = group_world(broker, protocol, 1)
    mine = 'season_partition_lag_messages{partition="0"}'
    with world.service(tmp_path, INSTANCE_ID="one") as one:
        wait(lambda: lags(one) == {"season_lag_messages": 0, mine: 0}, 60, "the first one has no lag")
        with world.service(tmp_path, INSTANCE_ID="two") as two:
            two.ready()
            assert [service.get("/readyz")[0] for service in (one, two)] == [200, 200]
            found = [lags(one), lags(two)]
            assert sorted(found, key=len) == [{"season_lag_messages": 0}, {"season_lag_messages": 0, mine: 0}]
            owner, other = (one, two) if mine in found[0] else (two, one)
            assert owner.stop() == 0
            wait(lambda: lags(other) == {"season_lag_messages": 0, mine: 0}, 60, "the partition does not move")
            assert other.stop() == 0


def test_without_a_broker_no_lag_is_known(tmp_path: Path) -> None:
    """Neither before the first answer nor after the last one."""
    with Broker(tmp_path / "kafka") as broker:
        world = World(broker.bootstrap_servers)
        world.environ["KAFKA_SESSION_TIMEOUT_MS"] = str(LONG_MS)  # so it stays a member
        unreachable = world.environ | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
        with ServiceProcess(unreachable, tmp_path / "log") as service:
            wait(lambda: "waiting for the broker" in service.log.read_text(), 20, "it does not say that it waits")
            assert lags(service) == {}
        with world.service(tmp_path) as service:
            wait(lambda: lags(service).get("season_lag_messages") == 0, 60, "the lag is not known")
            broker.kill()
            wait(lambda: lags(service) == {}, 60, "it tells a lag without a broker")
            assert service.get("/readyz")[0] == 503


@pytest.fixture
def compose() -> dict[str, str]:
    """What docker-compose.yml sets for the consumer, but for where Kafka and the port are."""
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    consumer = re.search(r"^  consumer:\n(.*?)^  \w", text, re.MULTILINE | re.DOTALL)
    assert consumer
    settings = dict(re.findall(r'^      ([A-Z_]+): "?([^"\n]*)"?$', consumer[1], re.MULTILINE))
    assert settings
    return {name: value for name, value in settings.items() if name not in {"KAFKA_BOOTSTRAP_SERVERS", "HTTP_HOST"}}


@pytest.mark.parametrize("end", ["kill", "down"])
def test_a_second_up_waits_for_no_dead_member(compose: dict[str, str], tmp_path: Path, end: str) -> None:
    """As compose starts it: after a kill of all, and after an orderly end, the next start is let in at once."""
    with Broker(tmp_path / "kafka", {"group.max.session.timeout.ms": str(LONG_MS)}) as broker:
        world = World(broker.bootstrap_servers)
        world.environ["KAFKA_SESSION_TIMEOUT_MS"] = str(LONG_MS)
        messages = shuffled_year(2)[:400]
        with world.service(tmp_path, **compose) as service:
            service.ready()
            world.publish(messages[:200])
            world.wait_until_read()
            if end == "kill":
                service.kill()
                broker.kill()
            else:
                assert service.stop() == 0
                broker.stop()
        broker.start()
        with world.service(tmp_path, **compose) as service:
            world.publish(messages[200:])
            service.ready(120)
            world.wait_until_read()
            assert service.stop() == 0
        check(world)
