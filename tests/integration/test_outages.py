"""The broker goes and comes: the service waits, says so, goes on or ends in time, and loses and doubles nothing."""

import time
from pathlib import Path

from kafka_local import Broker
from tests.integration.test_service import check, shuffled_year
from tests.integration.world import World, wait


def test_a_broker_that_is_killed_and_comes_back(tmp_path: Path) -> None:
    """The broker is stopped, then killed, under load: the service waits, goes on, loses and doubles nothing."""
    with Broker(tmp_path / "kafka") as broker:
        world = World(broker.bootstrap_servers)
        messages = shuffled_year(5)
        with world.service(tmp_path, COMMIT_INTERVAL="800ms") as service:
            service.ready()
            for number, down in enumerate([broker.restart, broker.kill]):
                world.publish(messages[number * 8000 : (number + 1) * 8000])
                time.sleep(0.3)
                down()
            time.sleep(3)
            broker.start()
            world.publish(messages[16000:20000])
            world.wait_until_read(120)
            assert service.process.poll() is None
            assert service.stop() == 0
        check(world)


def test_a_broker_that_is_away_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    """SIGTERM while the broker is gone, with an open transaction: it ends in time, and the next goes on."""
    with Broker(tmp_path / "kafka") as broker:
        world = World(broker.bootstrap_servers)
        messages = shuffled_year(8)[:6000]
        with world.service(tmp_path, COMMIT_INTERVAL="2s", INSTANCE_ID="one") as service:
            service.ready()
            world.publish(messages[:3000])
            broker.kill()
            time.sleep(1)
            assert service.get("/healthz")[0] == 200
            wait(lambda: service.get("/readyz")[0] == 503, 60, "it is ready without a broker")
            began = time.monotonic()
            assert service.stop() == 0
            assert time.monotonic() - began < 20  # 10 s are promised: what a busy machine adds is not ours
        broker.start()
        world.publish(messages[3000:])
        with world.service(tmp_path, INSTANCE_ID="one") as service:
            world.wait_until_read(120)
            assert service.stop() == 0
        check(world)
