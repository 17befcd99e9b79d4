"""How many readings one transaction takes, so that a slow broker makes transactions small instead of aborted.

A transaction that does not come to its end in time is aborted and read again, and on a broker that stays slow it
would be aborted for ever: time alone does not bound what is in it.
"""

# At full pace a transaction of so many costs some 5 ms beside its readings, a tenth of what these take; and their
# messages take some 10 MB until they are decided.
_MAX_READINGS = 30_000
_SLOW_S = 2.0  # after which a transaction was too large
_QUICK_S = 1.0  # up to which the next may be larger


class TransactionLimit:
    """The bound, `most`; each transaction that ends moves it."""

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
