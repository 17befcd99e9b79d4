"""What happens in production: brokers that go and come, processes that stand still, transactions undone."""

import signal
import time
from pathlib import Path

from confluent_kafka import Producer

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


def test_an_instance_that_stands_still_joins_again(broker: Broker, tmp_path: Path) -> None:
    """Paused beyond its session and its transaction, while another takes over: it drops what it had, and goes on."""
    world = World(broker.bootstrap_servers)
    messages = shuffled_year(6)[:16000]
    with world.service(tmp_path, INSTANCE_ID="one", COMMIT_INTERVAL="800ms") as one:
        one.ready()
        world.publish(messages[:8000])
        one.process.send_signal(signal.SIGSTOP)
        with world.service(tmp_path, INSTANCE_ID="two") as two:
            world.wait_until_read(60)
            time.sleep(6)
            one.process.send_signal(signal.SIGCONT)
            wait(lambda: one.log.read_text().count("partitions assigned") > 1, 60, "it does not join again")
            world.publish(messages[8000:])
            world.wait_until_read(60)
            assert (one.stop(), two.stop()) == (0, 0)
    check(world)


def test_readings_that_were_undone_are_never_seen(broker: Broker, tmp_path: Path) -> None:
    """A publisher's aborted transactions leave no trace, and lag is 0 behind the markers of transactions."""
    world = World(broker.bootstrap_servers)
    producer = Producer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "transactional.id": world.name,
            "partitioner": "murmur2_random",
        }
    )
    producer.init_transactions(30)
    messages = shuffled_year(7)[:3000]
    for start in range(0, len(messages), 100):
        producer.begin_transaction()
        for message in messages[start : start + 100]:
            producer.produce(world.environ["READINGS_TOPIC"], **message)
        producer.abort_transaction(30) if start % 300 == 0 else producer.commit_transaction(30)
    with world.service(tmp_path) as service:
        service.ready()
        published = sum(len(log) for log in world.log("READINGS_TOPIC"))
        wait(lambda: service.metrics()["season_readings_total"] == published, 30, "not all is read")
        wait(lambda: service.metrics()["season_lag_messages"] == 0, 10, "the lag is not 0")
        assert service.stop() == 0
    assert published == 2000
    check(world)


def test_a_broker_that_is_away_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    """SIGTERM while the broker is gone, with a transaction in hand: it ends in time, and the next goes on."""
    with Broker(tmp_path / "kafka") as broker:
        world = World(broker.bootstrap_servers)
        messages = shuffled_year(8)[:6000]
        with world.service(tmp_path, COMMIT_INTERVAL="2s", INSTANCE_ID="one") as service:
            service.ready()
            world.publish(messages[:3000])
            broker.kill()
            time.sleep(1)
            assert service.get("/healthz")[0] == 200
            wait(lambda: service.get("/readyz")[0] == 503, 30, "it is ready without a broker")
            began = time.monotonic()
            assert service.stop() == 0
            assert time.monotonic() - began < 10
        broker.start()
        world.publish(messages[3000:])
        with world.service(tmp_path, INSTANCE_ID="one") as service:
            world.wait_until_read(60)
            assert service.stop() == 0
        check(world)
