"""Silence: counted on its own clock, from a zone's last accepted reading or the clock's beginning."""

import numpy as np

from consumer.core.idle import Silence
from consumer.core.outcome import Rules
from consumer.core.state import State
from season.calendar import DAY, Calendar
from tests.consumer.core.laws import columns


def state_with(*zones: str) -> State:
    """A state in which these zones have an open window each."""
    state = State(Calendar("Europe/Rome"))
    state.read(columns([(zone, 1_622_505_600, 1.0, 0.0) for zone in zones], state.calendar), 9e9, Rules(DAY, 2, 0.0))
    return state


def test_a_zone_is_silent_from_the_timeout_on() -> None:
    """A zone counts as silent once the clock has run for the timeout since it was heard, no sooner."""
    state, silence = state_with("a", "b"), Silence(10.0)
    silence.passes(6.0)
    silence.heard(np.array([1]))
    silence.passes(3.9)
    assert silence.silent(state).tolist() == []
    silence.passes(0.1)
    assert silence.silent(state).tolist() == [0]
    silence.passes(6.0)
    assert silence.silent(state).tolist() == [0, 1]


def test_a_zone_without_an_open_window_is_not_silent() -> None:
    """Where nothing is open there is nothing to end."""
    silence = Silence(1.0)
    silence.passes(5.0)
    assert silence.silent(State(Calendar("Europe/Rome"))).tolist() == []


def test_a_timeout_of_0_turns_it_off() -> None:
    """IDLE_TIMEOUT=0: no zone is ever silent."""
    silence = Silence(0.0)
    silence.passes(1e9)
    assert silence.silent(state_with("a")).tolist() == []
