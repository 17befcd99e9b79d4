"""Limits how many readings one transaction takes, so that on a slow broker transactions are small and not aborted.

A transaction that is not committed in time is aborted, and its readings are read again. On a broker that stays slow
that would never end, since the commit interval bounds the time of gathering, not the number of readings.
"""

# At full speed a transaction of so many readings costs 5 ms of its own, a tenth of the time for the readings. Their
# messages take some 10 MB of memory until they are decided.
_MAX_READINGS = 30_000
_SLOW_S = 2.0  # a transaction that takes longer was too large
_QUICK_S = 1.0  # after one that takes less, the next may be larger


class TransactionLimit:
    """The limit, `most` readings; each transaction that ends moves it."""

    def __init__(self) -> None:
        self.most = _MAX_READINGS

    def committed(self, readings: int, seconds: float) -> None:
        """Note that a transaction of so many readings was committed, and took so many seconds."""
        if seconds > _SLOW_S:
            self.most = max(1, readings // 2)
        elif seconds < _QUICK_S:
            self.most = min(_MAX_READINGS, 2 * self.most)

    def aborted(self, readings: int) -> None:
        """Note that a transaction of so many readings was aborted."""
        self.most = max(1, min(self.most, readings) // 4)
