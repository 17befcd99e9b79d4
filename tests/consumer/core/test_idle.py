"""Silence: counted on its own clock, from a zone's last accepted reading or the clock's beginning."""

import numpy as np

from consumer.core.idle import IdleZones
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
    state, idle = state_with("a", "b"), IdleZones(10.0)
    idle.pass_time(6.0)
    idle.note_readings(np.array([1]))
    idle.pass_time(3.9)
    assert idle.idle(state).tolist() == []
    idle.pass_time(0.1)
    assert idle.idle(state).tolist() == [0]
    idle.pass_time(6.0)
    assert idle.idle(state).tolist() == [0, 1]


def test_a_zone_without_an_open_window_is_not_silent() -> None:
    """Where nothing is open there is nothing to end."""
    idle = IdleZones(1.0)
    idle.pass_time(5.0)
    assert idle.idle(State(Calendar("Europe/Rome"))).tolist() == []


def test_a_timeout_of_0_turns_it_off() -> None:
    """IDLE_TIMEOUT=0: no zone is ever silent."""
    idle = IdleZones(0.0)
    idle.pass_time(1e9)
    assert idle.idle(state_with("a")).tolist() == []
