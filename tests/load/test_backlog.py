"""A backlog is worked off in bounded memory."""

from pathlib import Path

from kafka_local import Broker
from tests.integration.world import World
from tests.load.backlog import BOUND, work_off
from tests.load.subscriber import read_all

ZONES, DAYS = 10_000, 5


def test_a_backlog_takes_bounded_memory(broker: Broker, tmp_path: Path) -> None:
    """1.2 million readings that wait on 32 partitions: at most 300 MB above an idle member, and all comes out."""
    world = World(broker.bootstrap_servers, partitions=32)
    worked = work_off(world, tmp_path, ZONES, DAYS, seconds=240)
    assert worked.above < BOUND
    assert read_all(world, ZONES, DAYS) == []
