"""A broker whose disk takes no more: Kafka gives its folder up and halts; the service waits until there is room."""

import resource
from pathlib import Path

from kafka_local import Broker
from tests.integration.world import World, wait
from tests.load.backlog import BOUND, publishing
from tests.load.process import held
from tests.load.subscriber import read_all

ZONES, DAYS = 2000, 3


def test_a_broker_that_cannot_write_is_waited_for(tmp_path: Path) -> None:
    """The broker's writes fail and it halts, under load; with room again it is started: nothing is lost or doubled.

    Instead of a full disk, which only root can make, the system lets none of the broker's files grow any more.
    """
    with Broker(tmp_path / "kafka") as broker:
        world = World(broker.bootstrap_servers)
        with world.service(tmp_path, WINDOW_TIME_ZONE="UTC") as service:
            service.ready()
            idle = held(service.process.pid).resident
            with publishing(world, ZONES, DAYS):
                wait(lambda: world.behind() > 0, 60, "nothing is published")
                _, hard = resource.prlimit(broker.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (64 * 1024, hard))
                wait(lambda: not runs(broker.pid), 60, "the broker goes on")
                wait(lambda: service.get("/readyz")[0] == 503, 60, "it is ready without a broker")
                assert service.get("/healthz")[0] == 200
                broker.restart()
            world.wait_until_read(180)
            assert held(service.process.pid).peak - idle < BOUND
            assert service.stop() == 0
        assert read_all(world, ZONES, DAYS) == []


def runs(pid: int) -> bool:
    """Whether a process of ours has not ended."""
    try:
        held(pid)
    except ValueError:
        return False
    return True
