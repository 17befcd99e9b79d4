"""Two functions that do the same, measured in turn, so that what disturbs the machine disturbs both."""

import time
from collections.abc import Callable

from benchmarks.tables import TableRow


def side_by_side(
    name: str,
    ours: Callable[[], object],
    baseline: Callable[[], object],
    units: int,
    runs: int,
    scale: float,
    prepare: Callable[[], object] = lambda: None,
) -> TableRow:
    """Run both in turn, `runs` times after one that is not counted; `scale` is how many of the unit a second has.

    `prepare` comes before each pair, outside the time.
    """
    pairs = []
    for _ in range(runs + 1):
        prepare()
        pairs.append((timed(ours, units) * scale, timed(baseline, units) * scale))
    return TableRow(name, list(zip(*pairs[1:], strict=True)))


def timed(work: Callable[[], object], units: int) -> float:
    """Return the seconds a unit of one run that does `units` of them."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) / units
