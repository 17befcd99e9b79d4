"""What the loop does with partitions whose transaction ends while they come and go."""

import threading
from collections.abc import Iterable
from typing import Any, cast

import pytest

from consumer.assignment import Assignment
from consumer.commit_policy import CommitPolicy
from consumer.core.changelog import Changelog
from consumer.core.outcome import Rules
from consumer.core.state import State
from consumer.partition import Partition
from consumer.pipeline import Pipeline
from consumer.service import Service
from consumer.work import Work
from season.calendar import DAY, Calendar
from season.topics import Topic


class FakeSession:
    """Whose transactions are all committed."""

    def __init__(self) -> None:
        self.flowed: list[tuple[int, int]] = []

    def finish(self) -> None:
        """As the real one."""

    def flow(self, partitions: Iterable[Partition]) -> None:
        """As the real one."""
        self.flowed += [(partition.number, partition.next_offset) for partition in partitions]


class FakeAssignment:
    """Of which partitions come and go by hand."""

    def __init__(self) -> None:
        self.flowing: dict[int, Partition] = {}


class FakeMonitor:
    """Who is told and says nothing."""

    def committed(self, tally: Any, seconds: float) -> None:
        """As the real one."""


@pytest.mark.parametrize("revoked", [False, True])
def test_a_partition_that_was_revoked_while_it_was_committed_is_not_sought(revoked: bool) -> None:
    """The client would be handed it again, and two instances would read it. One that flows goes on behind the gap."""
    session, assignment = FakeSession(), FakeAssignment()
    service = Service(
        session=cast(Any, session),
        assignment=cast(Assignment, assignment),
        policy=CommitPolicy(0.1),
        models=cast(Any, None),
        monitor=cast(Any, FakeMonitor()),
        stopped=threading.Event(),
    )
    partition = Partition(
        number=3,
        pipeline=Pipeline(state=State(Calendar("Europe/Rome")), rules=Rules(DAY, 2, 3600.0)),
        topic=Topic("readings", 4, "id"),
        changelog=Changelog(),
        next_offset=5,
        committed_offset=5,
    )
    work = Work(0.0)
    work.add(partition, partition.skip(range(5, 9)))
    service._committing = work
    assignment.flowing = {} if revoked else {3: partition}
    assert service._settle()
    assert session.flowed == ([] if revoked else [(3, 9)])
