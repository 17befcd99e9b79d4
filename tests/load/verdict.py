"""Whether a curve levels off: the line through its second half rises by little of the half's mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CurveVerdict:
    """A curve's name, the mean of its second half, and what the line through it rises, as a share of the mean."""

    name: str
    mean: float
    rise: float
    allowed: float

    @property
    def level(self) -> bool:
        """Whether it rises by no more than is allowed; a curve that falls does too."""
        return self.rise <= self.allowed


def judge(name: str, times: Sequence[float], values: Sequence[float], allowed: float) -> CurveVerdict:
    """The verdict on a curve; samples that are not there are NaN."""
    half = (times[0] + times[-1]) / 2
    points = [(t, v) for t, v in zip(times, values, strict=True) if t >= half and not math.isnan(v)]
    x, y = (np.array(column) for column in zip(*points, strict=True))
    slope = float(np.polyfit(x - x.mean(), y, 1)[0])
    mean = float(y.mean())
    return CurveVerdict(name, mean, slope * float(x[-1] - x[0]) / mean, allowed)
