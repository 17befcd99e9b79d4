"""Partitions and their phases: assigned inside a callback, restored by the loop, and flowing then."""

from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.restore import Restored
from consumer.assignment import Assignment
from consumer.core.changelog import Changelog
from consumer.core.record import Origin
from consumer.core.state import State
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
        self.begun: list[int] = []
        self.results: dict[int, Restored] = {}
        self.away = False

    def begin(self, number: int) -> None:
        """As the real one."""
        if self.away:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        self.partitions.add(number)
        self.begun.append(number)

    def drop(self, number: int) -> None:
        """As the real one."""
        self.partitions.discard(number)

    def proceed(self, _wait: float) -> dict[int, Restored]:
        """As the real one."""
        results = {number: found for number, found in self.results.items() if number in self.partitions}
        self.results = {}
        self.partitions -= set(results)
        return results

    def left(self) -> dict[int, int]:
        """As the real one."""
        return {}


@pytest.fixture
def reported() -> list[tuple[set[int], set[int]]]:
    """What was reported of the partitions, and of those that flow."""
    return []


@pytest.fixture
def restorer() -> FakeRestorer:
    """The restorer of `assignment`."""
    return FakeRestorer()


@pytest.fixture
def assignment(restorer: FakeRestorer, reported: list[tuple[set[int], set[int]]]) -> Assignment:
    """An assignment without partitions."""
    return Assignment(
        settings=load(Settings, {}),
        topics=TOPICS,
        restorer=cast(Any, restorer),
        calendar=ROME,
        changed=lambda ours, flowing: reported.append((ours, flowing)),
    )


def restored(committed: int, offset: int) -> Restored:
    """An empty state that belongs to an offset."""
    return Restored(State(ROME), Origin("id-1", offset, "Europe/Rome", "00:00"), Changelog(), committed, (0, 10))


def test_a_partition_is_restored_before_it_flows(
    assignment: Assignment, restorer: FakeRestorer, reported: list[tuple[set[int], set[int]]]
) -> None:
    """It goes on from where its state belongs, or from the group's offset if ahead: what lies between is lost."""
    assignment.assign([1, 2])
    assert (assignment.restoring, restorer.partitions) == ({1, 2}, set())
    assert assignment.restore(0) == []
    assert assignment.restoring == restorer.partitions == {1, 2}
    restorer.results = {2: restored(committed=8, offset=5)}
    (partition,) = assignment.restore(0)
    assert (partition.number, partition.pipeline.partitions, partition.topic.topic_id) == (2, 4, "id-1")
    assert (partition.next_offset, partition.committed_offset, partition.lost, partition.begun) == (8, 5, 3, False)
    assert (assignment.restoring, assignment.flowing) == ({1}, {2: partition})
    assert reported[0] == ({1, 2}, set())
    assert reported[-1] == ({1, 2}, {2})


def test_what_cannot_be_begun_is_begun_later(assignment: Assignment, restorer: FakeRestorer) -> None:
    """A broker that is away costs time alone."""
    assignment.assign([1])
    restorer.away = True
    with pytest.raises(KafkaException):
        assignment.restore(0)
    assert assignment.restoring == {1}
    restorer.away = False
    assignment.restore(0)
    assert restorer.partitions == {1}


def test_a_partition_that_is_revoked_is_forgotten(assignment: Assignment, restorer: FakeRestorer) -> None:
    """In whichever phase it is; its restore ends, too."""
    assignment.assign([1, 3])
    assignment.restore(0)
    restorer.results = {3: restored(committed=0, offset=0)}
    assignment.restore(0)
    assignment.assign([2])
    assert (assignment.restoring, set(assignment.flowing)) == ({1, 2}, {3})
    assignment.revoke([1, 2, 3, 4])
    assert assignment.restore(0) == []
    assert assignment.restoring == restorer.partitions == set()
    assert assignment.flowing == {}


def test_a_partition_that_comes_back_is_restored_from_the_beginning(
    assignment: Assignment, restorer: FakeRestorer
) -> None:
    """Another instance may have had it between two of our turns."""
    assignment.assign([1])
    assignment.restore(0)
    assignment.revoke([1])
    assignment.assign([1])
    assignment.restore(0)
    assert restorer.begun == [1, 1]


def test_a_doubted_partition_is_restored_again(assignment: Assignment, restorer: FakeRestorer) -> None:
    """One that is being restored goes on: it has not been read from yet."""
    assignment.assign([1, 2])
    assignment.restore(0)
    restorer.results = {1: restored(committed=0, offset=0)}
    assignment.restore(0)
    assignment.doubt([1, 2])
    assert (assignment.restoring, assignment.flowing) == ({1, 2}, {})
    assignment.restore(0)
    assert restorer.begun == [1, 2, 1]


@given(st.lists(st.tuples(st.sampled_from(["assign", "revoke", "doubt", "restore", "restored"]), st.integers(0, 2))))
def test_the_table_has_a_next_phase_for_whatever_happens(events: list[tuple[str, int]]) -> None:
    """In any order of events: what is ours is restoring or flows, and what is told last is true."""
    restorer, reported = FakeRestorer(), [(set[int](), set[int]())]
    assignment = Assignment(
        settings=load(Settings, {}),
        topics=TOPICS,
        restorer=cast(Any, restorer),
        calendar=ROME,
        changed=lambda ours, flowing: reported.append((ours, flowing)),
    )
    ours: set[int] = set()
    for event, number in events:
        if event == "restored":
            restorer.results = {number: restored(0, 0)} if number in restorer.partitions else {}
            assignment.restore(0)
        elif event == "restore":
            assignment.restore(0)
        elif event != "doubt" or number in ours:
            getattr(assignment, event)([number])
        ours = ours | {number} if event == "assign" else ours - {number} if event == "revoke" else ours
        assert assignment.restoring | set(assignment.flowing) == ours
        assert assignment.restoring.isdisjoint(assignment.flowing)
        assert reported[-1] == (ours, set(assignment.flowing))
