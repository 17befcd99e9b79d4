"""When a transaction ends, by time and by the number of its readings, and when offsets alone are committed.

The number is limited since on a slow broker the time is not enough: a transaction that is not committed in time is
aborted, and its readings are read again. On a broker that stays slow that would never end.
"""

# At full speed a transaction of so many readings costs 5 ms of its own, a tenth of the time for the readings. Their
# messages take some 10 MB of memory until they are decided.
_MAX_READINGS = 30_000
_SLOW_S = 2.0  # a transaction that takes longer was too large
_QUICK_S = 1.0  # after one that takes less, the next may be larger
_OFFSETS_INTERVAL_S = 5.0  # between two commits of nothing but next offsets


class CommitPolicy:
    """The limits of a transaction: `interval` seconds of gathering, and `most` readings, which each one's end moves.

    Time is passed in, as seconds that only ever grow.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self.most = _MAX_READINGS
        self._offsets_committed = 0.0

    def committed(self, readings: int, seconds: float) -> None:
        """Note that a transaction of so many readings was committed, and took so many seconds."""
        if seconds > _SLOW_S:
            self.most = max(1, readings // 2)
        elif seconds < _QUICK_S:
            self.most = min(_MAX_READINGS, 2 * self.most)

    def aborted(self, readings: int) -> None:
        """Note that a transaction of so many readings was aborted."""
        self.most = max(1, min(self.most, readings) // 4)

    def offsets_due(self, now: float) -> bool:
        """Return whether it is time to commit the offsets behind transaction markers, and count the time anew."""
        due = now - self._offsets_committed >= _OFFSETS_INTERVAL_S
        if due:
            self._offsets_committed = now
        return due
