"""Outages in which sessions and open transactions run out: the service stays alive, and goes on without them."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kafka_local import Broker
from tests.integration.test_service import check, shuffled_year
from tests.integration.world import group_world, wait


def test_an_outage_of_more_than_a_minute(tmp_path: Path) -> None:
    """Sessions and transactions run out while the broker is dead, or stands still with its connections open."""
    with ThreadPoolExecutor() as pool:
        dead = pool.submit(outlive, tmp_path / "dead", "consumer", Broker.kill, Broker.start)
        still = pool.submit(outlive, tmp_path / "still", "classic", Broker.pause, Broker.resume)
        dead.result()
        still.result()


def outlive(folder: Path, protocol: str, down: Callable[[Broker], None], up: Callable[[Broker], None]) -> None:
    """A service with an open transaction goes through an outage."""
    with Broker(folder / "kafka") as broker:
        world, messages = group_world(broker, protocol), shuffled_year(21)[:12_000]
        with world.service(folder, COMMIT_INTERVAL="2s") as service:
            service.ready()
            world.publish(messages[:8000])
            time.sleep(1)
            down(broker)
            began = time.monotonic()
            wait(lambda: service.get("/readyz")[0] == 503, 60, "it is ready without a broker")
            while time.monotonic() - began < 65:
                assert (service.get("/healthz")[0], service.get("/readyz")[0]) == (200, 503)
                time.sleep(1)
            assert "waiting for the broker" in service.log.read_text()
            up(broker)
            service.ready()
            world.publish(messages[8000:])
            world.wait_until_read(120)
            assert service.stop() == 0
        check(world)
