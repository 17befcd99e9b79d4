"""How large transactions are, beside a broker that takes so many readings a second."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.commit_policy import CommitPolicy

TIMEOUT = 10.0  # seconds after which a transaction is undone
INTERVAL = 0.1


def work(policy: CommitPolicy, capacity: float, transactions: int, offered: int = 30_000) -> list[bool]:
    """Which of so many transactions, each of as many readings as are offered and taken, came to their end."""
    ended = []
    for _ in range(transactions):
        readings = min(offered, policy.most)
        seconds = INTERVAL + readings / capacity
        ended.append(seconds < TIMEOUT)
        if ended[-1]:
            policy.committed(readings, seconds - INTERVAL)
        else:
            policy.aborted(readings)
    return ended


@given(st.floats(0.2, 1e6))
def test_however_slow_a_broker_is_it_comes_forward(capacity: float) -> None:
    """After a few transactions that were undone none is, and each is of more than one reading where that fits."""
    policy = CommitPolicy(INTERVAL)
    ended = work(policy, capacity, 40)
    assert ended == sorted(ended)
    assert ended[10]
    assert policy.most >= min(30_000, capacity / 2)


def test_a_quick_broker_is_not_held_back() -> None:
    """Where commits are quick the bound stays where it is."""
    policy = CommitPolicy(INTERVAL)
    before = policy.most
    work(policy, 1e9, 100)
    assert policy.most == before


def test_a_broker_that_was_slow_once_is_soon_served_as_before() -> None:
    """Down to one reading, then quick again: twenty transactions later there are 30,000 in one."""
    policy = CommitPolicy(INTERVAL)
    work(policy, 0.2, 40)
    assert policy.most <= 2
    work(policy, 1e9, 20)
    assert policy.most >= 30_000


def test_offsets_alone_are_committed_from_time_to_time() -> None:
    """Markers of transactions are read too, but a commit for each of them would be one for each transaction."""
    policy = CommitPolicy(INTERVAL)
    assert [policy.offsets_due(now) for now in (10.0, 10.1, 14.9, 15.0, 15.1)] == [True, False, False, True, False]
