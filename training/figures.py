"""Computes how good logits are: accuracy, calibration and confusion, by month; with NumPy alone."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from season.calendar import I64, Bool
from season.steps import F64

F32 = NDArray[np.float32]

BINS = 10


@dataclass(frozen=True)
class LabelCounts:
    """How many days of each season got which label."""

    winter_as_winter: int
    winter_as_summer: int
    summer_as_winter: int
    summer_as_summer: int

    @property
    def days(self) -> int:
        """Return how many days there are."""
        return self.winter_as_winter + self.winter_as_summer + self.summer_as_winter + self.summer_as_summer

    @property
    def right(self) -> int:
        """Return how many days got their season's label."""
        return self.winter_as_winter + self.summer_as_summer


@dataclass(frozen=True)
class Bin:
    """The days whose probability of winter lies in one tenth: how many, its mean, the share of winter days."""

    days: int
    probability: float
    winter: float


@dataclass(frozen=True)
class Figures:
    """The quality of a model's logits on labelled days; `wrong` holds the rows that it labels wrong."""

    total: LabelCounts
    months: dict[int, LabelCounts]
    bins: tuple[Bin, ...]
    log_loss: float
    wrong: tuple[int, ...]

    @property
    def accuracy(self) -> float:
        """Return the share of the days that got their season's label."""
        return self.total.right / self.total.days

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % confidence interval of the accuracy: Wilson's score interval (1927)."""
        count, share, z = self.total.days, self.accuracy, 1.96
        middle = (share + z * z / (2 * count)) / (1 + z * z / count)
        half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
        return middle - half, middle + half

    @property
    def calibration_error(self) -> float:
        """Return the expected calibration error (ECE): over the bins, weighted by days, |probability - share|."""
        gaps = sum(each.days * abs(each.probability - each.winter) for each in self.bins)
        return gaps / self.total.days


def sigmoid(logits: F32) -> F64:
    """Return the probability of winter, in 64 bits, as the service computes it."""
    half = np.exp(-np.abs(logits.astype(np.float64)))
    return np.where(logits >= 0, 1 / (1 + half), half / (1 + half))


def log_loss(logits: F32, winter: Bool) -> float:
    """Return the mean cross entropy, in nats: ln 2 for a model that knows nothing."""
    wide = logits.astype(np.float64)
    return float(np.mean(np.logaddexp(0, np.where(winter, -wide, wide))))


def figures(logits: F32, winter: Bool, months: I64, threshold: float) -> Figures:
    """Return the figures of logits [n] for days that are winter or not [n], in months 1 to 12 [n]; n is not 0."""
    probability = sigmoid(logits)
    said = probability >= threshold
    bins = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    return Figures(
        total=_counts(said, winter),
        months=by(months, logits, winter, threshold),
        bins=tuple(_bin(probability[bins == number], winter[bins == number]) for number in range(BINS)),
        log_loss=log_loss(logits, winter),
        wrong=tuple(int(row) for row in np.flatnonzero(said != winter)),
    )


def by(groups: I64, logits: F32, winter: Bool, threshold: float) -> dict[int, LabelCounts]:
    """Return the counts of each group; `groups` [n] has the group of each day."""
    said = sigmoid(logits) >= threshold
    return {int(group): _counts(said[groups == group], winter[groups == group]) for group in np.unique(groups)}


def _counts(said: Bool, winter: Bool) -> LabelCounts:
    return LabelCounts(
        winter_as_winter=int(np.sum(winter & said)),
        winter_as_summer=int(np.sum(winter & ~said)),
        summer_as_winter=int(np.sum(~winter & said)),
        summer_as_summer=int(np.sum(~winter & ~said)),
    )


def _bin(probability: F64, winter: Bool) -> Bin:
    if not len(probability):
        return Bin(0, 0.0, 0.0)
    return Bin(len(probability), float(probability.mean()), float(winter.mean()))
