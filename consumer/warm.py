"""Runs every compiled loop once: in the installation it compiles them, at the start it loads what was compiled.

`python -m consumer.warm` is a step of the installation and of the image's build.
"""

import sys
import time

import numpy as np

from consumer.adapters.decode import decode
from consumer.core.outcome import Rules
from consumer.core.state import State
from season.calendar import HOUR, Calendar
from season.messages import encode_reading

_ZONES = 100  # more than the tables have room for at first, so that they grow, too
_DAY = 1_622_498_400  # 2021-06-01 in Rome
_LOADING_S = 3.0  # loading what was compiled takes less


def warm() -> None:
    """Let a day of some zones go through the core: read, aborted, read again, ended, written down and restored."""
    calendar = Calendar("Europe/Rome")
    state, rules = State(calendar), Rules(HOUR, max_filled=2, max_future=0.0)
    for hour in range(26):
        keys = [f"zone {zone}".encode() for zone in range(_ZONES)]
        values = [encode_reading(key.decode(), _DAY + hour * HOUR, float(hour)) for key in keys]
        readings = decode(keys, values, 1, calendar).readings
        state.read(readings, _DAY * 2.0, rules)
        state.rollback()
        state.read(readings, _DAY * 2.0, rules)
        changes = state.changes()
        state.commit()
    state.advance(np.arange(state.known), state.stream + HOUR, rules)
    state.commit()
    state.sizes(0, state.known)
    restored = State(calendar)
    restored.apply(state.snapshot(0, state.known))
    restored.apply(changes)


if __name__ == "__main__":
    began = time.monotonic()
    warm()
    if time.monotonic() - began > _LOADING_S:
        sys.stdout.write(f"compiled the loops of the service in {time.monotonic() - began:.0f} s\n")
