"""Two ways of doing the same, measured in turn, so that what disturbs the machine disturbs both."""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_NAME = 44


@dataclass(frozen=True)
class Pair:
    """What ours and the baseline took, run by run, for `name`; whatever unit the table says."""

    name: str
    ours: Sequence[float]
    baseline: Sequence[float]


def side_by_side(
    name: str,
    ours: Callable[[], object],
    baseline: Callable[[], object],
    units: int,
    runs: int,
    scale: float,
    prepare: Callable[[], object] = lambda: None,
) -> Pair:
    """Runs both in turn, `runs` times after one that is not counted; `scale` is how many of the unit a second has.

    `prepare` comes before each pair, outside the time.
    """
    pairs = []
    for _ in range(runs + 1):
        prepare()
        pairs.append((timed(ours, units) * scale, timed(baseline, units) * scale))
    return Pair(name, *zip(*pairs[1:], strict=True))


def timed(work: Callable[[], object], units: int) -> float:
    """Seconds a unit of one run that does `units` of them."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) / units


def table(title: str, ours: str, baseline: str, pairs: Sequence[Pair], more_is_better: bool = False) -> None:
    """Prints the best and the median run of both, and how many times better ours is (the median of the pairs)."""
    best = max if more_is_better else min
    word = best.__name__
    lines = [title, f"{'':{_NAME}}{ours:>22}{baseline:>22}{'':>10}"]
    lines.append(f"{'':{_NAME}}" + f"{word:>11}{'median':>11}" * 2 + f"{'times':>10}")
    for pair in pairs:
        ratios = [theirs / mine for mine, theirs in zip(pair.ours, pair.baseline, strict=True)]
        times = statistics.median(1 / ratio if more_is_better else ratio for ratio in ratios)
        figures = [f(runs) for runs in (pair.ours, pair.baseline) for f in (best, statistics.median)]
        lines.append(f"{pair.name:{_NAME}}" + "".join(f"{_short(f):>11}" for f in figures) + f"{_short(times):>10}")
    say("\n".join(lines) + "\n")


def say(text: str) -> None:
    """A line to standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _short(figure: float) -> str:
    """Three digits that mean something."""
    digits = 2 if figure < 10 else 1 if figure < 100 else 0
    return f"{figure:,.{digits}f}"
