"""Whether an instance can write: after three aborts in a row, or while the coordinator is waited for, it cannot."""

import pytest
from structlog.testing import capture_logs

from consumer.adapters.refusal import Refusal
from consumer.adapters.transaction import AbortedError
from consumer.writing import Writing
from season.client.errors import ClientError, Code
from season.settings import RefusedError

CLOCK = Refusal(ClientError(Code.INVALID_TIMESTAMP), "predictions")
SIZE = Refusal(ClientError(Code.MSG_SIZE_TOO_LARGE), "windows")
TIMED_OUT = ClientError(Code.TIMED_OUT)


class WritingTrial:
    """A `Writing`, what it told, what it asked a remedy for, and its clock."""

    def __init__(self) -> None:
        self.ready: str | None = None
        self.asked: list[Refusal] = []
        self.now = 100.0
        self.writing = Writing(self._tell, self._remedy, lambda: self.now)

    def abort(self, refusal: Refusal | None = CLOCK) -> float:
        """An abort for this cause."""
        return self.writing.aborted(AbortedError("what it says", refusal))

    def _tell(self, why: str | None) -> None:
        self.ready = why

    def _remedy(self, refusal: Refusal) -> str:
        self.asked.append(refusal)
        return f"{refusal}: do this"


def events(logs: list[dict[str, object]] | object) -> list[str]:
    """The events of the log, each with its level."""
    assert isinstance(logs, list)
    return [f"{entry['log_level']}: {entry['event']}" for entry in logs]


ABORTED = "warning: transaction aborted: going back to what was last committed"
CANNOT = "error: cannot write; trying again until it can"
CAN = "warning: can write again"


def test_after_three_aborts_in_a_row_it_cannot_write() -> None:
    """The third says so, once, with the remedy; the next commit says that it is over; then all begins again."""
    world = WritingTrial()
    with capture_logs() as logs:
        for _ in range(2):
            world.abort()
            assert world.ready is None
        for _ in range(20):
            world.abort()
            assert world.ready is not None
            assert "predictions" in world.ready
            assert "do this" in world.ready
        assert len(world.asked) == 1
        world.writing.committed()
        assert world.ready is None
        world.abort()
        assert world.ready is None
    assert events(logs) == [ABORTED, ABORTED, CANNOT, CAN, ABORTED]


def test_aborts_with_a_commit_between_them_are_none_in_a_row() -> None:
    """A rebalance now and then keeps nobody from writing."""
    world = WritingTrial()
    for _ in range(10):
        world.abort(None)
        world.abort(None)
        world.writing.committed()
        assert world.ready is None


def test_another_cause_is_said_too() -> None:
    """Each once, however often they take turns."""
    world = WritingTrial()
    with capture_logs() as logs:
        for _ in range(5):
            world.abort(CLOCK)
            world.abort(Refusal(ClientError(Code.NOT_ENOUGH_REPLICAS), "windows"))
            world.abort(None)
    assert events(logs) == [ABORTED, ABORTED, CANNOT, CANNOT, CANNOT]
    assert world.ready is not None
    assert "what it says" in world.ready


def test_tries_are_further_and_further_apart() -> None:
    """Not at once after the second failure, and never further apart than a second."""
    world = WritingTrial()
    delays = [world.abort() for _ in range(9)]
    assert delays[:3] == [0, 0.1, 0.2]
    assert delays == sorted(delays)
    assert delays[-1] == 1
    world.writing.committed()
    assert world.abort() == 0


def test_a_coordinator_that_is_waited_for_keeps_it_from_writing() -> None:
    """Once it has been waited for, for some seconds; one that moves quickly is not worth a word."""
    world = WritingTrial()
    with capture_logs() as logs:
        for _ in range(5):
            world.writing.waiting(TIMED_OUT)
            world.writing.waiting(None)
            world.now += 6
        assert world.ready is None
        for _ in range(9):
            world.writing.waiting(TIMED_OUT)
            world.now += 3
        assert world.ready is not None
        assert "the transaction coordinator" in world.ready
        assert "do this" in world.ready
        world.writing.waiting(None)
        assert world.ready is None
    assert events(logs) == [CANNOT, CAN]


def test_a_coordinator_that_answers_ends_no_row_of_aborts() -> None:
    """It took the id, but nothing was written yet."""
    world = WritingTrial()
    for _ in range(3):
        world.abort()
    world.writing.waiting(TIMED_OUT)
    world.writing.waiting(None)
    assert world.ready is not None


def test_one_that_has_nothing_to_write_is_ready() -> None:
    """Its partitions went to others: it may be able to write, and nothing will show it before others come."""
    world = WritingTrial()
    for _ in range(3):
        world.abort()
    world.writing.idle()
    assert world.ready is None


def test_what_never_passes_ends_the_program() -> None:
    """A record that the topic never takes, at once."""
    with pytest.raises(RefusedError, match="do this"):
        WritingTrial().abort(Refusal(ClientError(Code.INVALID_RECORD), "dead"))


def test_a_size_that_is_refused_ends_it_when_transactions_are_smallest() -> None:
    """Each abort makes them smaller, and batches with them: so not at once."""
    world = WritingTrial()
    for _ in range(9):
        world.abort(SIZE)
    with pytest.raises(RefusedError, match="windows"):
        world.abort(SIZE)


def test_a_message_outside_of_transactions_counts_as_well() -> None:
    """The claim of a changelog, which is written before any transaction."""
    world = WritingTrial()
    with capture_logs() as logs:
        delays = [world.writing.refused(CLOCK) for _ in range(4)]
    assert delays == [0, 0.1, 0.2, 0.4]
    assert world.ready is not None
    assert events(logs) == [CANNOT]
