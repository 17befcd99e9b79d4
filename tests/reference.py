"""The rule of windows, told reading by reading: slow, plain, and what the columnar core is held to.

It shares only the calendar with the core, which has a reference of its own. Every call returns what happened as
a list of events: tuples whose first item is their kind.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from consumer.core.outcome import Rules
from season.calendar import Calendar

Events = list[tuple[Any, ...]]


@dataclass
class Window:
    """One open window: the value that stands at each hour, and how often it was scored."""

    hours: list[int]
    clock: list[int]
    end: int
    values: dict[int, float] = field(default_factory=dict)
    scorings: int = 0


@dataclass
class Zone:
    """A zone's stream time, how far windows have ended, and its open windows by day."""

    stream: float = -math.inf
    horizon: float = -math.inf
    windows: dict[int, Window] = field(default_factory=dict)


class Reference:
    """One partition."""

    def __init__(self, calendar: Calendar, rules: Rules) -> None:
        self.calendar, self.rules = calendar, rules
        self.zones: dict[str, Zone] = {}

    def read(self, zone: str, instant: int, demand: float, now: float) -> Events:
        """One well-formed reading."""
        if instant > now + self.rules.max_future:
            return [("future",)]
        day = int(self.calendar.days(np.array([instant]))[0])
        end = int(self.calendar.ends(np.array([day]))[0])
        known = self.zones.get(zone, Zone())
        if max(known.horizon, known.stream - self.rules.grace) >= end:
            return [("late", day)]
        state = self.zones.setdefault(zone, known)
        hours = self.calendar.hours(day)
        window = state.windows.setdefault(day, Window(hours.instants.tolist(), hours.steps.tolist(), end))
        events = self._take(zone, day, window, instant, demand)
        return self._move(zone, max(state.stream, instant)) + events

    def silence(self, zone: str) -> Events:
        """The zone has been silent for so long that its windows end."""
        state = self.zones[zone]
        ends = [window.end for window in state.windows.values()]
        return self._move(zone, max([state.stream, *(end + self.rules.grace for end in ends)]))

    def restart(self, rules: Rules) -> Events:
        """Goes on with other rules: what is over by them ends at once, what has ended stays ended."""
        self.rules = rules
        return [event for zone in self.zones for event in self._move(zone, self.zones[zone].stream)]

    def _take(self, zone: str, day: int, window: Window, instant: int, demand: float) -> Events:
        standing = window.values.get(instant)
        if standing is not None and standing == demand:
            return [("repeat",)]
        window.values[instant] = demand
        events: Events = [("new",) if standing is None else ("correction",)]
        if len(window.values) < len(window.hours):
            return events
        steps = self._steps(window, window.values)
        if not constant(steps):
            window.scorings += 1
            events.append(("scored", zone, day, steps, 0, window.scorings - 1))
        elif window.scorings:
            events.append(("flattened", zone, day))
        return events

    def _move(self, zone: str, stream: float) -> Events:
        """Moves a zone's stream time, and ends what is over."""
        state = self.zones[zone]
        state.stream = stream
        state.horizon = max(state.horizon, stream - self.rules.grace)
        over = sorted(day for day, window in state.windows.items() if window.end <= state.horizon)
        return [event for day in over for event in self._end(zone, day, state.windows.pop(day))]

    def _end(self, zone: str, day: int, window: Window) -> Events:
        if window.scorings:
            return []
        missing = [hour for hour in window.hours if hour not in window.values]
        if len(missing) > self.rules.max_filled:
            return [("incomplete", zone, day, window.values)]
        steps = self._steps(window, window.values | {hour: between(window.values, hour) for hour in missing})
        if constant(steps):
            return [("constant", zone, day, window.values)]
        return [("scored", zone, day, steps, len(missing), 0)]

    def _steps(self, window: Window, values: dict[int, float]) -> tuple[float, ...]:
        by_clock: dict[int, list[float]] = {}
        for hour, step in zip(window.hours, window.clock, strict=True):
            by_clock.setdefault(step, []).append(values[hour])
        means = {step: sum(those) / len(those) for step, those in by_clock.items()}
        return tuple(means[step] if step in means else between(means, step) for step in range(24))


def between(values: dict[int, float], place: int) -> float:
    """The value on the line between the nearest neighbours of a place; beyond the first or last, theirs."""
    before = max((p for p in values if p < place), default=None)
    after = min((p for p in values if p > place), default=None)
    if before is None or after is None:
        return values[after if before is None else before]  # type: ignore[index]
    return values[before] + (values[after] - values[before]) * ((place - before) / (after - before))


def constant(steps: tuple[float, ...]) -> bool:
    """Whether all steps are equal as 32-bit floats."""
    return len({float(np.float32(step)) for step in steps}) == 1
