"""Members come, go and stand still between any two calls of one that works: nothing is lost, nothing doubled."""

import pytest

from tests.consumer.loop.plays import verdict
from tests.consumer.loop.scenarios import BEGUN, LATE_COMMIT, MARKER_DELAY_S, MEANWHILE, PUBLISHERS, calls, parked


@pytest.mark.parametrize("what", MEANWHILE)
def test_a_rebalance_between_any_two_calls(what: str) -> None:
    """While one stands still at any of its calls, the others do something; then it goes on as if nothing had been."""
    for passing in range(1, calls() + 1):
        found = verdict(*parked(passing, what))
        assert not found.failures, (passing, found.failures)


@pytest.mark.parametrize("stays", ["one", "two"])
def test_partitions_move_to_who_comes_and_back_from_who_goes(stays: str) -> None:
    """Each restores what it gets, in the middle of readings that go on."""
    goes = {"one": "two", "two": "one"}[stays]
    found = verdict(
        *BEGUN,
        ("start", "two"),
        *[("publish", 10), ("go", "one"), ("go", "two")] * 4,
        ("stop", goes),
        *[("publish", 10), ("go", stays)] * 4,
    )
    assert not found.failures


def test_who_comes_waits_for_the_commit_of_who_went() -> None:
    """Its offsets were accepted before the group went on: so they stand, and so does what comes with them."""
    assert not verdict(*BEGUN, *LATE_COMMIT, marker_delay_s=MARKER_DELAY_S).failures


def test_readings_of_aborted_and_open_transactions_are_not_read() -> None:
    """Publishers may use transactions."""
    assert not verdict(*BEGUN, *PUBLISHERS).failures
