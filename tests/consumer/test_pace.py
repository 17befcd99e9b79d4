"""How large transactions are, beside a broker that takes so many readings a second."""

from hypothesis import given
from hypothesis import strategies as st

from consumer.pace import TransactionLimit

TIMEOUT = 10.0  # seconds after which a transaction is undone
INTERVAL = 0.1


def work(pace: TransactionLimit, capacity: float, transactions: int, offered: int = 30_000) -> list[bool]:
    """Which of so many transactions, each of as many readings as are offered and taken, came to their end."""
    ended = []
    for _ in range(transactions):
        readings = min(offered, pace.most)
        seconds = INTERVAL + readings / capacity
        ended.append(seconds < TIMEOUT)
        if ended[-1]:
            pace.committed(readings, seconds - INTERVAL)
        else:
            pace.aborted(readings)
    return ended


@given(st.floats(0.2, 1e6))
def test_however_slow_a_broker_is_it_comes_forward(capacity: float) -> None:
    """After a few transactions that were undone none is, and each is of more than one reading where that fits."""
    pace = TransactionLimit()
    ended = work(pace, capacity, 40)
    assert ended == sorted(ended)
    assert ended[10]
    assert pace.most >= min(30_000, capacity / 2)


def test_a_quick_broker_is_not_held_back() -> None:
    """Where commits are quick the bound stays where it is."""
    pace = TransactionLimit()
    before = pace.most
    work(pace, 1e9, 100)
    assert pace.most == before


def test_a_broker_that_was_slow_once_is_soon_served_as_before() -> None:
    """Down to one reading, then quick again: twenty transactions later there are 30,000 in one."""
    pace = TransactionLimit()
    work(pace, 0.2, 40)
    assert pace.most <= 2
    work(pace, 1e9, 20)
    assert pace.most >= 30_000
