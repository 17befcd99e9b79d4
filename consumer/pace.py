"""How many readings one transaction takes, so that a slow broker makes transactions small instead of undone.

A transaction that does not come to its end in time is undone and read again, and on a broker that stays slow it
would be undone for ever: time alone does not bound what is in it.
"""

_MOST = 2**30  # no bound
_SLOW = 2.0  # seconds beyond the commit interval after which a transaction was too large
_QUICK = 1.0  # and up to which the next may be larger


class Pace:
    """The bound, `most`; each transaction that ends moves it."""

    def __init__(self) -> None:
        self.most = _MOST

    def committed(self, readings: int, beyond: float) -> None:
        """A transaction of so many readings was committed, so many seconds after its commit was due."""
        if beyond > _SLOW:
            self.most = max(1, readings // 2)
        elif beyond < _QUICK:
            self.most = min(_MOST, 2 * self.most)

    def aborted(self, readings: int) -> None:
        """A transaction of so many readings was undone."""
        self.most = max(1, min(self.most, readings) // 4)
