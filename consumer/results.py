"""Turns decisions and the model's logits into the messages that are written."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from consumer.adapters import letters
from consumer.adapters.letters import Letter, LetterWindow
from consumer.adapters.model import Model, labels, probabilities
from consumer.core.outcome import Scorings, Windows, no_scorings
from consumer.core.state import State
from consumer.decision import Decision
from season.labels import calendar_label
from season.messages import F32, Predictions, encode_predictions


@dataclass
class Results:
    """The messages of one decision, each topic's in their order, with labels and reasons to count."""

    predictions: list[tuple[bytes, bytes]] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def results(decision: Decision, state: State, logits: F32, model: Model, limit: int) -> Results:
    """Return the messages of one decision; `logits` [n] are the model's for its scorings [n].

    A dead letter has at most `limit` bytes.
    """
    done = Results()
    scorable = np.isfinite(logits)
    scored, unscorable = decision.scorings, no_scorings()
    if not scorable.all():
        scored, unscorable = scored.select(scorable), scored.select(~scorable)
        logits = logits[scorable]
    _predict(scored, state, logits, model, done)
    rows = _letters(decision, state, unscorable, model, limit)
    rows.sort(key=lambda row: row[:2])
    done.letters = [letter for *_, letter in rows]
    done.reasons = [reason for _, _, reason, _ in rows]
    return done


def _letters(
    decision: Decision, state: State, unscorable: Scorings, model: Model, limit: int
) -> list[tuple[int, int, str, Letter]]:
    """Return the dead letters of a decision as (cause, day, reason, letter)."""
    rows = [
        (r.row, -1, r.reason, letters.of_message(decision.messages[r.row], r.reason, r.error, limit))
        for r in decision.rejected
    ]
    for (cause, day, window), revision in zip(
        _windows(unscorable.windows, state), unscorable.revisions.tolist(), strict=True
    ):
        letter = letters.unscorable(window, revision, model.contract.name, model.version)
        rows.append((cause, day, letters.UNSCORABLE, letter))
    for cause, day, window in _windows(decision.incomplete, state):
        rows.append((cause, day, letters.INCOMPLETE, letters.incomplete(window, decision.max_filled)))
    for cause, day, window in _windows(decision.constant, state):
        rows.append((cause, day, letters.CONSTANT, letters.constant(window)))
    return rows


def _predict(scorings: Scorings, state: State, logits: F32, model: Model, done: Results) -> None:
    windows, calendar = scorings.windows, state.calendar
    if not len(windows):
        return
    winter = probabilities(logits)
    seasons = labels(winter, model.contract.threshold)
    calendar_labels = [calendar_label(month) for month in calendar.months(windows.days).tolist()]
    zones = state.names.texts(windows.zones)
    predictions = Predictions(
        zones=zones,
        starts=calendar.starts(windows.days),
        ends=calendar.ends(windows.days),
        labels=seasons,
        probabilities=winter,
        logits=logits,
        calendar_labels=calendar_labels,
        filled=scorings.filled,
        revisions=scorings.revisions,
        steps=scorings.steps,
    )
    values = encode_predictions(predictions, model.contract.name, model.version)
    done.predictions = [(zone.encode(), value) for zone, value in zip(zones, values, strict=True)]
    done.labels = list(zip(seasons, calendar_labels, strict=True))


def _windows(windows: Windows, state: State) -> Iterator[tuple[int, int, LetterWindow]]:
    """Yield each window in the form of its dead letter, with its cause and its day."""
    calendar, names = state.calendar, state.names.texts(windows.zones)
    starts, ends = calendar.starts(windows.days).tolist(), calendar.ends(windows.days).tolist()
    for i, (cause, day) in enumerate(zip(windows.causes.tolist(), windows.days.tolist(), strict=True)):
        hours = calendar.hours(day).instants
        values = windows.hours[i, : len(hours)]
        here = ~np.isnan(values)
        yield cause, day, LetterWindow(names[i], starts[i], ends[i], hours[here], values[here], hours[~here])
