"""What the client says of a call, and answers that get lost: the readings come out once all the same."""

import pytest

from tests.consumer.loop.plays import ABORT, FATAL, HANG, REPEAT, Step, play, verdict
from tests.consumer.loop.scenarios import ANSWERS, BEGUN, NEXT, OFFSETS, answered
from tests.fake_kafka.process import AFTER, BEFORE


@pytest.mark.parametrize(("answer", "call", "when"), ANSWERS)
def test_an_answer_or_its_loss_loses_and_doubles_nothing(answer: str, call: str, when: str) -> None:
    """Whether the call was done (after) or not (before), whatever the client says of it."""
    assert not verdict(*answered(answer, call, when)).failures


@pytest.mark.parametrize("answer", [REPEAT, FATAL, HANG])
def test_an_abort_that_fails_is_no_end(answer: str) -> None:
    """The id is taken anew, and the state is read back."""
    broken: list[Step] = [("arm", "one", ABORT, OFFSETS), ("arm", "one", answer, "abort_transaction")]
    assert not verdict(*BEGUN, *broken, NEXT, ("settle",)).failures


def test_many_aborts_in_a_row_lose_nothing() -> None:
    """Each takes back what the transaction changed, and smaller ones come after it."""
    aborts: list[Step] = [("arm", "one", ABORT, OFFSETS, 1) for _ in range(12)]
    assert not verdict(*BEGUN, *aborts, NEXT, ("settle",)).failures


def test_an_id_that_is_not_given_at_once_is_asked_for_again() -> None:
    """While the coordinator is away, and after an answer that got lost."""
    for when in (BEFORE, AFTER):
        armed: list[Step] = [("arm", "one", REPEAT, "init_transactions", passing, when) for passing in (1, 2, 3)]
        assert not verdict(("start", "one"), *armed, ("publish", 90)).failures


@pytest.mark.parametrize("call", ["list_offsets", "committed"])
def test_a_question_that_is_not_answered_is_asked_again(call: str) -> None:
    """While a partition that has come is restored."""
    for passing in (1, 2):
        found = verdict(("publish", 90), ("start", "one"), ("arm", "one", REPEAT, call, passing), NEXT)
        assert not found.failures


def test_two_with_one_id_the_older_is_fenced_and_nothing_is_doubled() -> None:
    """The first call of the older one ends it; what it had open is aborted."""
    with play() as playing:
        playing.run([*BEGUN, ("publish", 30), ("go", "one", 20)])
        older = playing.world.members.pop("one")
        playing.run([("start", "one"), ("publish", 30)])
        for _ in range(100):
            playing.go("one")
            if not older.process.go(40):
                break
        assert type(older.process.error).__name__ == "FencedError"
        playing.world.evict(older)
        assert not playing.finish().failures
