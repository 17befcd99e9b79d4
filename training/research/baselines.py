"""`python -m training.research.baselines` (`make baselines`): what other methods make of the days of `rolling`.

They come with scikit-learn and aeon, which nothing else here needs. Every method sees what the network sees: a day's
24 hours with mean 0 and standard deviation 1. What a method leaves open is chosen on the last year before the tested
one; 2021 is never looked at.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from aeon.classification.convolution_based import MiniRocketClassifier, RocketClassifier
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from season import files
from season.calendar import I64, Calendar
from season.steps import F64
from training import days
from training.command_line import DATA, parse
from training.days import Days

TESTED = (2018, 2019, 2020)
LAST = "2020-12-31"


@dataclass(frozen=True)
class Method:
    """A classifier made of one choice and a seed; what may be chosen; how many seeds (1: nothing is random)."""

    name: str
    make: Callable[[Any, int], ClassifierMixin]
    choices: Sequence[Any] = (None,)
    seeds: int = 1
    series: bool = False


METHODS = (
    Method("1-nearest neighbour", lambda _, seed: KNeighborsClassifier(1)),
    Method(
        "logistic regression",
        lambda c, seed: LogisticRegression(C=c, max_iter=10_000),
        (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0),
    ),
    Method(
        "gradient boosting",
        lambda rounds, seed: HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=rounds, early_stopping=False, random_state=seed
        ),
        (100, 200, 400),
    ),
    Method("support vectors, RBF", lambda c, seed: SVC(C=c), (1.0, 3.0, 10.0, 30.0, 100.0)),
    Method("MiniRocket and ridge", lambda _, seed: MiniRocketClassifier(random_state=seed), seeds=3, series=True),
    Method("ROCKET and ridge", lambda _, seed: RocketClassifier(random_state=seed), seeds=3, series=True),
)


def main() -> None:
    """Print the table."""
    known = read()
    say(("method", *map(str, TESTED), "mean", "s.d. over seeds"))
    say(["---"] * (len(TESTED) + 3))
    for method in METHODS:
        began = time.monotonic()
        scores = np.array([[tested(method, known, year, seed) for year in TESTED] for seed in range(method.seeds)])
        spread = f"{scores.mean(axis=1).std(ddof=1):.4f}" if method.seeds > 1 else "-"
        cells = [f"{score:.4f}" for score in [*scores.mean(axis=0), scores.mean()]]
        say((method.name, *cells, spread))
        sys.stderr.write(f"{method.name}: {time.monotonic() - began:.0f} s\n")


def say(cells: Sequence[str]) -> None:
    """Print one line of the table."""
    sys.stdout.write("| " + " | ".join(cells) + " |\n")
    sys.stdout.flush()


def read() -> Days:
    """Return Italy's days to the end of 2020, as the trainer reads them."""
    options = parse(["train"])
    source = days.load(DATA, files.options(options), Calendar("Europe/Rome"))
    return source.days[source.days.days <= np.datetime64(LAST).astype(np.int64)]


def tested(method: Method, known: Days, year: int, seed: int) -> float:
    """Return the share of a year's days that a method gets right after all years before it."""
    years = years_of(known)
    choice = chosen(method, known[years < year], year - 1)
    return right(method, choice, seed, known[years < year], known[years == year])


def chosen(method: Method, known: Days, last: int) -> Any:
    """Return the choice that does best on the last year known after those before it."""
    if len(method.choices) == 1:
        return method.choices[0]
    years = years_of(known)
    scores = [right(method, choice, 0, known[years < last], known[years == last]) for choice in method.choices]
    return method.choices[int(np.argmax(scores))]


def right(method: Method, choice: Any, seed: int, known: Days, test: Days) -> float:
    """Return the share of test days that get their label after learning from the days known."""
    classifier = method.make(choice, seed)
    classifier.fit(inputs(method, known), known.winter.astype(int))
    return float(np.mean(classifier.predict(inputs(method, test)) == test.winter))


def inputs(method: Method, some: Days) -> F64:
    """Return days with mean 0 and standard deviation 1: [n, 24], or [n, 1, 24] for methods that want series."""
    shapes: F64 = some.steps - some.steps.mean(axis=1, keepdims=True)
    shapes = shapes / shapes.std(axis=1, keepdims=True)
    return shapes[:, None, :] if method.series else shapes


def years_of(some: Days) -> I64:
    """Return the local year of each day."""
    return some.days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


if __name__ == "__main__":
    main()
