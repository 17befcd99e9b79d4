"""Runs every compiled loop once: in the installation it compiles them, at the start it loads what was compiled.

`python -m consumer.warm` is a step of the installation and of the image's build.
"""

import time
from collections.abc import Callable

import numpy as np

from consumer.adapters.decode import decode
from consumer.core.changelog import Changelog
from consumer.core.outcome import Rules
from consumer.core.record import Origin
from consumer.core.replay import Replay
from consumer.core.state import State
from season.calendar import HOUR, Calendar
from season.messages import encode_reading

_ZONES = 100  # more than the tables have room for at first, so that they grow, too
_DAY = 1_635_631_200  # 2021-10-31 in Rome, which has 25 hours
_LOADING_S = 3.0  # loading what was compiled takes less


def warm() -> None:
    """Let a day of some zones go through the core: read, aborted, read again, written down, restored, and ended."""
    calendar = Calendar("Europe/Rome")
    state, rules = State(calendar), Rules(HOUR, max_filled=2, max_future=0.0)
    changelog, replay = Changelog(), Replay(calendar)
    for hour in range(27):
        # The first zone lacks an hour, so that its day is filled.
        keys = [f"zone {zone}".encode() for zone in range(hour == 5, _ZONES)]
        values = [encode_reading(key.decode(), _DAY + hour * HOUR, float(hour)) for key in keys]
        readings = decode(keys, values, 1, calendar).readings
        state.read(readings, _DAY * 2.0, rules)
        state.rollback()
        state.read(readings, _DAY * 2.0, rules)
        for key, value in changelog.records(state, state.changes(), Origin("", hour, "Europe/Rome", "00:00")):
            replay.apply(key, value)
        state.commit()
    state.advance(np.arange(state.known), state.stream + HOUR, rules)
    state.commit()
    replay.finish()


def warm_up(tell: Callable[[str], object]) -> None:
    """Run every loop, and tell it where that took so long that they were not loaded but compiled."""
    began = time.monotonic()
    warm()
    if (seconds := time.monotonic() - began) > _LOADING_S:
        tell(f"compiled the loops of the service in {seconds:.0f} s")


if __name__ == "__main__":
    warm_up(print)
