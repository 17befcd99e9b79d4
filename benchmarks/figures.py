"""The arithmetic of measured figures: spread, percentile, ratio pair by pair."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """What several runs came to."""

    minimum: float
    median: float
    maximum: float


def spread(runs: Sequence[float]) -> Spread:
    """Return the minimum, the median and the maximum of the runs."""
    return Spread(min(runs), statistics.median(runs), max(runs))


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return the smallest sample that at least `percent` % of the samples do not exceed (nearest rank)."""
    rank = max(1, math.ceil(len(samples) * percent / 100))
    return sorted(samples)[rank - 1]


def ratios(ours: Sequence[float], others: Sequence[float]) -> list[float]:
    """Return ours / other for each pair of runs; runs of one pair were measured one after the other."""
    return [mine / other for mine, other in zip(ours, others, strict=True)]
