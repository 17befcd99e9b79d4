"""The broker goes and comes: the service waits, says so, goes on, and loses and doubles nothing."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from confluent_kafka import ElectionType, Producer, TopicPartition

from kafka_local import Broker
from tests.integration.test_service import check, shuffled_year
from tests.integration.traffic import tell, traffic, went_on
from tests.integration.world import World, group_world, wait

# Of a node among two: all that is kept is kept by both.
TWICE = {
    **{f"{topic}.replication.factor": "2" for topic in ("offsets.topic", "transaction.state.log", "default")},
    "auto.leader.rebalance.enable": "false",
}


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


def test_an_outage_of_more_than_a_minute(tmp_path: Path) -> None:
    """Sessions and transactions run out while the broker is dead, or stands still with its connections open."""
    with ThreadPoolExecutor() as pool:
        dead = pool.submit(outlive, tmp_path / "dead", "consumer", Broker.kill, Broker.start)
        still = pool.submit(outlive, tmp_path / "still", "classic", Broker.pause, Broker.resume)
        dead.result()
        still.result()


def outlive(folder: Path, protocol: str, down: Callable[[Broker], None], up: Callable[[Broker], None]) -> None:
    """A service with a transaction in hand goes through an outage."""
    with Broker(folder / "kafka") as broker:
        world, messages = group_world(broker, protocol), shuffled_year(21)[:12_000]
        with world.service(folder, COMMIT_INTERVAL="2s") as service:
            service.ready()
            world.publish(messages[:8000])
            time.sleep(1)
            down(broker)
            began = time.monotonic()
            wait(lambda: service.get("/readyz")[0] == 503, 35, "it is ready without a broker")
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


def test_the_coordinators_move_to_another_node(tmp_path: Path) -> None:
    """The node that leads our transactions ends, comes back, and is killed: the service goes on with the other."""
    with Broker(tmp_path / "one", TWICE) as one, Broker(tmp_path / "two", TWICE, beside=one) as two:
        world = World(f"{one.bootstrap_servers},{two.bootstrap_servers}")
        instance = led_by(world, 2)
        with world.service(tmp_path, INSTANCE_ID=instance) as service:
            service.ready()
            with traffic(world):
                for down in (two.stop, two.kill):
                    time.sleep(3)
                    assert leader(world, instance) == 2
                    began = time.time()
                    down()
                    goes_on(world)
                    tell(f"{down.__name__} of the coordinator's node", world, began)
                    assert leader(world, instance) == 1
                    two.start()
                    wait(lambda: prefer(world, instance), 30, "its leader does not come back")
                goes_on(world)
            world.wait_until_read()
            assert service.stop() == 0
        check(world)


def goes_on(world: World) -> None:
    """Waits until each partition has committed something that came later than now."""
    now = time.time()
    wait(lambda: went_on(world, now + 1) == set(range(world.partitions)), 60, "it does not go on")


def led_by(world: World, node: int) -> str:
    """An INSTANCE_ID whose transactions this node coordinates."""
    Producer({"bootstrap.servers": world.servers, "transactional.id": world.name}).init_transactions(30)
    return next(name for name in map(str, range(100)) if leader(world, name) == node)


def leader(world: World, instance: str) -> int:
    """The node that coordinates the transactions of an instance."""
    topic = world.admin.list_topics(timeout=10).topics["__transaction_state"]
    return topic.partitions[coordinator(world, instance, len(topic.partitions))].leader


def coordinator(world: World, instance: str, partitions: int) -> int:
    """The partition of its transactions, by Java's hash of a string."""
    hashed = 0
    for character in f"{world.environ['CONSUMER_GROUP']}-{instance}":
        hashed = (31 * hashed + ord(character)) & 0xFFFFFFFF
    return (hashed & 0x7FFFFFFF) % partitions


def prefer(world: World, instance: str) -> bool:
    """Hands the coordinator's partition back to its first node, where that has caught up; whether it leads again."""
    topic = world.admin.list_topics(timeout=10).topics["__transaction_state"]
    at = TopicPartition("__transaction_state", coordinator(world, instance, len(topic.partitions)))
    world.admin.elect_leaders(ElectionType.PREFERRED, [at]).result()
    return leader(world, instance) == 2
