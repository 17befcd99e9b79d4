"""Evaluates a model on labelled days: chooses the days that count, and scores them."""

import datetime
from dataclasses import dataclass

from season.settings import SettingError
from training.days import DataSource, Days
from training.figures import F32, Figures, figures
from training.model import LoadedModel

# The parts of a model's metrics.
LEARNED_FROM, TEST = "learned_from", "test"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's logits for days, and their figures; `source` is where the days come from.

    `learned_from` is set where the model was trained on some of them, which it should not be.
    """

    model: LoadedModel
    source: DataSource
    days: Days
    logits: F32
    figures: Figures
    learned_from: bool


def hold(model: LoadedModel, source: DataSource, every_day: bool) -> Evaluation:
    """Score the days of a file.

    Of the file that the model learned from (the same checksum) only those that it was tested on count, unless
    `every_day` is set: it knows the others.
    """
    days = source.days
    tested = tested_on(model)
    same = source.sha256 == model.contract.training_data_sha256
    if tested is not None and not every_day and same:
        days = days.between(*tested)
    if not len(days):
        raise SettingError(f"--data {source.name}: none of the days that the model was tested on is in it")
    logits = model.score(days.steps)
    found = figures(logits, days.winter, days.months, model.contract.threshold)
    unknown = tested is not None and len(days.between(*tested)) == len(days)
    return Evaluation(model, source, days, logits, found, learned_from=same and not unknown)


def tested_on(model: LoadedModel) -> tuple[str, str] | None:
    """Return the first and the last date of the model's test days, where its file says so."""
    test = (model.contract.metrics or {}).get(TEST)
    if not isinstance(test, dict) or "data" in test:
        return None
    try:
        dates = [datetime.date.fromisoformat(str(test[end])).isoformat() for end in ("first", "last")]
    except (KeyError, ValueError):
        return None
    return dates[0], dates[1]
