"""A group that another application uses: the sentence names CONSUMER_GROUP and who is in it, not a Kafka setting."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Consumer

from kafka_local import Broker
from tests.integration.world import World, ended, wait


@pytest.fixture(scope="module")
def strict() -> Iterator[Broker]:
    """A broker that turns no group of the classic protocol into one of the newer."""
    with Broker(settings={"group.consumer.migration.policy": "disabled"}) as running:
        yield running


@contextmanager
def billing(world: World) -> Iterator[None]:
    """Another application in the group, on the same topic, with an assignor that is Kafka's default."""
    consumer = Consumer(
        {
            "bootstrap.servers": world.servers,
            "group.id": world.environ["CONSUMER_GROUP"],
            "client.id": "billing-7",
            "partition.assignment.strategy": "range",
        }
    )
    joined: list[bool] = []
    consumer.subscribe([world.environ["READINGS_TOPIC"]], on_assign=lambda *_: joined.append(True))
    try:
        wait(lambda: consumer.poll(0.1) is None and bool(joined), 60, "the other application does not join")
        yield
    finally:
        consumer.close()


def test_another_assignor_in_the_group_ends_the_service(broker: Broker) -> None:
    """Status 2, since a person must set the group right; the other application's name and host are said."""
    world = World(broker.bootstrap_servers)
    with billing(world):
        done = ended(world.environ, "consumer")
    assert done.returncode == 2, done.stderr
    sentence = done.stderr.strip().splitlines()[-1]
    assert sentence.startswith(f"CONSUMER_GROUP={world.environ['CONSUMER_GROUP']!r}: another application is in this")
    assert "'range'" in sentence
    assert "billing-7 at 127.0.0.1" in sentence
    assert "KAFKA_GROUP_PROTOCOL" not in sentence


def test_a_group_of_the_other_protocol_ends_the_service(strict: Broker) -> None:
    """The same where the broker does not convert the group for a member of the newer protocol."""
    world = World(strict.bootstrap_servers)
    del world.environ["KAFKA_SESSION_TIMEOUT_MS"]
    with billing(world):
        done = ended(world.environ | {"KAFKA_GROUP_PROTOCOL": "consumer"}, "consumer")
    assert done.returncode == 2, done.stderr
    sentence = done.stderr.strip().splitlines()[-1]
    assert sentence.startswith(f"CONSUMER_GROUP={world.environ['CONSUMER_GROUP']!r}: another application is in this")
    assert "classic protocol" in sentence
    assert "billing-7 at 127.0.0.1" in sentence
