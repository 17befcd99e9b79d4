"""A broker that takes little: the service waits for it, holds no more for it, and goes on."""

from pathlib import Path

from tests.integration.world import World, wait
from tests.load.backlog import BOUND, publish
from tests.load.process import held
from tests.load.slow import slow_broker
from tests.load.subscriber import read_all

ZONES, DAYS = 2000, 2


def test_a_slow_broker_is_waited_for_without_growth(tmp_path: Path) -> None:
    """At 30 kB/s what it decides in two seconds takes longer than a transaction may: it still comes forward.

    Memory stays within the bound, and when the broker is itself again the rest is worked off: all of it comes out.
    """
    with slow_broker(tmp_path / "kafka") as (broker, proxy):
        world = World(broker.bootstrap_servers)
        publish(world, ZONES, DAYS)
        proxy.rate["up"] = 30_000.0
        through = {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{proxy.port}",
            "WINDOW_TIME_ZONE": "UTC",
            "COMMIT_INTERVAL": "2s",
        }
        with world.service(tmp_path, **through) as service:
            service.ready(120)
            idle = held(service.process.pid).resident
            all_of_it = world.behind()
            wait(lambda: world.behind() < 0.85 * all_of_it, 300, "it does not come forward")
            proxy.rate["up"] = None
            world.wait_until_read(120)
            assert held(service.process.pid).peak - idle < BOUND
            assert service.stop() == 0
        assert read_all(world, ZONES, DAYS) == []
