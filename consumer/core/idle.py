"""Finds a partition's idle zones: those of which no reading has been accepted for `IDLE_TIMEOUT`.

Idle time counts only while the partition is read to its end, and starts at 0 after a restart or a rebalance. So it
is measured by a clock that runs at those times alone; for each zone the clock's time of its last reading is kept.
"""

import numpy as np

from consumer.core.outcome import Rules
from consumer.core.state import State
from season.calendar import I64


class IdleZones:
    """The idle times of a partition's zones; `timeout` in seconds, 0 for never."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._clock = 0.0
        self._last_readings = np.zeros(0)

    def note_readings(self, zones: I64) -> None:
        """Note that a reading of each of these zones was accepted."""
        self._cover(int(zones.max(initial=-1)) + 1)
        self._last_readings[zones] = self._clock

    def pass_time(self, seconds: float) -> None:
        """Advance the clock: so many seconds passed while the partition was read to its end."""
        self._clock += seconds

    def idle(self, state: State) -> I64:
        """Return the numbers of the idle zones that have an open window, ascending."""
        if not self._timeout or self._clock < self._timeout:
            return np.empty(0, np.int64)
        self._cover(state.known)
        return state.with_windows(np.flatnonzero(self._clock - self._last_readings >= self._timeout))

    def _cover(self, zones: int) -> None:
        """Make room for `zones` zones; a restored one counts as having sent a reading when the clock began."""
        more = zones - len(self._last_readings)
        if more > 0:
            self._last_readings = np.append(self._last_readings, np.zeros(more))


def idle_stream_times(state: State, zones: I64, rules: Rules) -> I64:
    """Return the stream times [z] that end all windows of idle zones [z], each of which has an open one."""
    stream: I64 = np.maximum(state.latest_ends(zones) + rules.grace, state.stream[zones])
    return stream
