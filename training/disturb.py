"""Disturbs days as reality might: another zone, filled hours, noise, another convention.

All amounts are in standard deviations of the day, so that they mean the same for megawatts and for normalised days.
Italy's day has a standard deviation of about a sixth of its mean.
"""

import math
from collections.abc import Callable

import numpy as np

from season.steps import F64, STEPS, fill

Disturbance = Callable[[F64, np.random.Generator], F64]


def scaled(factor: float) -> Disturbance:
    """Multiply every hour by a factor."""
    return lambda steps, random: steps * factor


def raised(deviations: float) -> Disturbance:
    """Raise every hour by so many standard deviations of its day."""
    return lambda steps, random: steps + deviations * steps.std(axis=1, keepdims=True)


def noisy(deviations: float) -> Disturbance:
    """Add noise to every hour, in standard deviations of its day."""
    return lambda steps, random: (
        steps + deviations * steps.std(axis=1, keepdims=True) * random.normal(size=steps.shape)
    )


def filled(count: int) -> Disturbance:
    """Remove so many hours of every day, and fill them."""

    def disturb(steps: F64, random: np.random.Generator) -> F64:
        steps = steps.copy()
        for day in steps:
            day[random.choice(STEPS, count, replace=False)] = np.nan
            day[:] = fill(day, np.arange(STEPS))
        return steps

    return disturb


def late(hours: float) -> Disturbance:
    """Shift every reading by so many hours, at most one; a negative shift is early. Days wrap around."""

    def disturb(steps: F64, random: np.random.Generator) -> F64:
        moved = np.roll(steps, int(math.copysign(1, hours)), axis=1)
        return (1 - abs(hours)) * steps + abs(hours) * moved

    return disturb


def sunny(deviations: float) -> Disturbance:
    """Lower the demand about midday, by standard deviations of the day (negative raises it)."""
    bell = np.exp(-0.5 * ((np.arange(STEPS) + 0.5 - 13) / 2.5) ** 2)
    return lambda steps, random: steps - deviations * steps.std(axis=1, keepdims=True) * bell


DISTURBANCES: dict[str, Disturbance] = {
    "as they are": scaled(1),
    "all hours times 0.005 (a zone of 200 MW)": scaled(0.005),
    "all hours times 1.5 (a zone of 50 GW)": scaled(1.5),
    "level lower by 2 deviations (Italy: 30 % or so)": raised(-2),
    "level lower by half a deviation (10 %)": raised(-0.5),
    "level higher by half a deviation (10 %)": raised(0.5),
    "level higher by 2 deviations (30 %)": raised(2),
    "1 hour of each filled": filled(1),
    "2 hours of each filled": filled(2),
    "noise of 0.05 deviations (1 %)": noisy(0.05),
    "noise of 0.1 deviations (2 %)": noisy(0.1),
    "noise of 0.3 deviations (5 %)": noisy(0.3),
    "more sun: midday lower by half a deviation": sunny(0.5),
    "less sun: midday higher by half a deviation": sunny(-0.5),
    "half an hour late": late(0.5),
    "half an hour early": late(-0.5),
    "an hour late": late(1),
    "an hour early": late(-1),
}
