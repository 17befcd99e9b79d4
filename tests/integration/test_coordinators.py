"""The coordinator of our transactions moves to another node: what a cluster of one broker cannot show."""

import time
from pathlib import Path

from confluent_kafka import ElectionType, Producer, TopicPartition

from kafka_local import Broker
from tests.integration.test_service import check
from tests.integration.traffic import tell, traffic, went_on
from tests.integration.world import World, wait

# Of a node among two: all that is kept is kept by both.
TWICE = {
    **{f"{topic}.replication.factor": "2" for topic in ("offsets.topic", "transaction.state.log", "default")},
    "auto.leader.rebalance.enable": "false",
}


def test_the_coordinators_move_to_another_node(tmp_path: Path) -> None:
    """The node that leads our transactions ends, comes back, and is killed: the service goes on with the other."""
    with Broker(tmp_path / "one", TWICE) as one, Broker(tmp_path / "two", TWICE, joins=one) as two:
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
                    service.ready(30)  # the answer of any node counts
                    tell(f"{down.__name__} of the coordinator's node", world, began)
                    assert leader(world, instance) == 1
                    two.start()
                    wait(lambda: prefer(world, instance), 60, "its leader does not come back")
                goes_on(world)
            world.wait_until_read()
            assert service.stop() == 0
        check(world)


def goes_on(world: World) -> None:
    """Waits until each partition has committed something that came later than now."""
    now = time.time()
    wait(lambda: went_on(world, now + 1) == set(range(world.partitions)), 120, "it does not go on")


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
