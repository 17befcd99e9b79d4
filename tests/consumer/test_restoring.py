"""Partitions on their way: asked for inside a callback, begun by the loop, whole where their state belongs."""

from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.adapters.restore import Restored
from consumer.core.changelog import Changelog
from consumer.core.record import Origin
from consumer.core.state import State
from consumer.restoring import Restoring
from consumer.settings import Settings
from season.calendar import Calendar
from season.settings import load
from season.topics import Described, Topic

ROME = Calendar("Europe/Rome")
TOPICS = Described(
    Topic("readings", 4, "id-1"), Topic("predictions", 4, "x"), Topic("dead", 4, "y"), Topic("windows", 4, "z")
)


class FakeRestorer:
    """Reads what the test says; the broker answers while `away` is false."""

    def __init__(self) -> None:
        self.partitions: set[int] = set()
        self.whole: dict[int, Restored] = {}
        self.away = False

    def begin(self, number: int) -> None:
        """As the real one."""
        if self.away:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        self.partitions.add(number)

    def drop(self, number: int) -> None:
        """As the real one."""
        self.partitions.discard(number)

    def proceed(self, _wait: float) -> dict[int, Restored]:
        """As the real one."""
        whole, self.whole = self.whole, {}
        self.partitions -= set(whole)
        return whole


def made() -> tuple[Restoring, FakeRestorer]:
    """What is tested, and its restorer."""
    restorer = FakeRestorer()
    return Restoring(load(Settings, {}), TOPICS, cast(Any, restorer), ROME), restorer


def restored(committed: int, offset: int) -> Restored:
    """An empty state that belongs to an offset."""
    return Restored(State(ROME), Origin("id-1", offset, "Europe/Rome", "00:00"), Changelog(), committed, (0, 10))


def test_a_partition_is_on_its_way_until_it_is_whole() -> None:
    """It goes on from where its state belongs, or from the group's offset if ahead: what lies between is lost."""
    restoring, restorer = made()
    restoring.want([1, 2])
    assert (restoring.partitions, restorer.partitions) == ({1, 2}, set())
    assert restoring.proceed(0) == {}
    assert restoring.partitions == restorer.partitions == {1, 2}
    restorer.whole = {2: restored(committed=8, offset=5)}
    (partition,) = restoring.proceed(0).values()
    assert (partition.number, partition.partitions, partition.topic_id) == (2, 4, "id-1")
    assert (partition.next_offset, partition.committed_offset, partition.lost, partition.begun) == (8, 5, 3, False)
    assert restoring.partitions == {1}


def test_what_cannot_be_begun_is_begun_later() -> None:
    """A broker that is away costs time alone."""
    restoring, restorer = made()
    restoring.want([1])
    restorer.away = True
    with pytest.raises(KafkaException):
        restoring.proceed(0)
    assert restoring.partitions == {1}
    restorer.away = False
    restoring.proceed(0)
    assert restorer.partitions == {1}


def test_a_partition_that_goes_is_forgotten() -> None:
    """Whether or not it was begun."""
    restoring, restorer = made()
    restoring.want([1])
    restoring.proceed(0)
    restoring.want([2])
    for number in (1, 2, 3):
        restoring.drop(number)
    assert restoring.proceed(0) == {}
    assert restoring.partitions == restorer.partitions == set()
