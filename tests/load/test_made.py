"""The formula of `made` against the naive reference, and the subscriber that relies on it."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from consumer.core.outcome import Rules
from season import instants
from season.calendar import DAY, Calendar
from tests.load.made import START, Totals, day_of, number, steps, totals
from tests.load.subscriber import Expectation
from tests.reference import Reference

UTC = Calendar("UTC")
ZONES, DAYS = 120, 6


class Message:
    """What the subscriber asks of a message."""

    def __init__(self, value: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._value = json.dumps(value).encode()
        self._headers = [(name, text.encode()) for name, text in (headers or {}).items()]

    def value(self) -> bytes:
        """The JSON."""
        return self._value

    def headers(self) -> list[tuple[str, bytes]]:
        """Of a dead letter."""
        return self._headers

    def topic(self) -> str:
        """A name."""
        return "topic"

    def partition(self) -> int:
        """Always the same."""
        return 0

    def offset(self) -> int:
        """Always the same."""
        return 0


def events() -> tuple[list[tuple[Any, ...]], int]:
    """What the reference says of all the days, and how many messages they have."""
    reference, told, count = Reference(UTC, Rules(DAY, 2, 3600.0)), [], 0
    for day in range(DAYS):
        for part in day_of(ZONES, day):
            for key, value in part:
                reading = json.loads(value)
                assert reading["zone"].encode() == key
                told += reference.read(
                    reading["zone"], instants.parse(reading["timestamp"]), reading["demand_mw"], 2e9
                )
                count += 1
    return told, count


def predictions() -> list[Message]:
    """The predictions that the formula promises, in an order that a subscriber may see."""
    return [_prediction(*row) for row in _scored()]


def _scored() -> list[tuple[str, int, int]]:
    told, _ = events()
    return [(zone, day, revision) for kind, zone, day, _, _, revision in (e for e in told if e[0] == "scored")]


def _prediction(zone: str, day: int, revision: int, **other: Any) -> Message:
    start = int(UTC.starts(np.array([day]))[0])
    row = {
        "zone": zone,
        "window_start": instants.format(start),
        "window_end": instants.format(start + DAY),
        "label": "winter",
        "winter_probability": 0.5,
        "logit": 0.0,
        "calendar_label": "winter",
        "filled_hours": 0,
        "revision": revision,
        "model": "m",
        "model_version": "v",
        "steps": steps(number(zone.encode()), (start - START) // DAY, revision),
    }
    return Message(row | other)


def late(offset: int) -> Message:
    """A dead letter."""
    return Message({}, {"reason": "late", "error": "-", "source.partition": "0", "source.offset": str(offset)})


def test_the_formula_is_what_the_reference_says() -> None:
    """Counts and values that `made` promises are those of the naive reference, which reads the messages."""
    told, count = events()
    kinds = Counter(kind for kind, *_ in told)
    assert totals(ZONES, DAYS) == Totals(count, kinds["scored"], kinds["repeat"], kinds["correction"], kinds["late"])
    assert kinds["incomplete"] == kinds["constant"] == 0
    assert kinds["late"] > 0
    for kind, zone, day, values, *rest in (event for event in told if event[0] == "scored"):
        start = int(UTC.starts(np.array([day]))[0])
        assert (kind, list(values)) == ("scored", steps(number(zone.encode()), (start - START) // DAY, rest[1]))


def test_a_subscriber_that_sees_all_of_it_has_no_problem() -> None:
    """What the formula promises, seen once and in order, is whole."""
    expectation = Expectation(ZONES)
    for prediction in predictions():
        expectation.prediction(prediction)  # type: ignore[arg-type]
    for offset in range(totals(ZONES, DAYS).late):
        expectation.letter(late(offset))  # type: ignore[arg-type]
    assert expectation.finish(DAYS) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rows, _: rows.pop(40), "is next"),
        (lambda rows, _: rows.insert(40, rows[40]), "is next"),
        (lambda rows, _: rows.pop(), "not at their end"),
        (lambda rows, _: rows.__setitem__(40, _prediction(*_scored()[40], steps=[1.0] * 24)), "other steps"),
        (lambda _, letters: letters.append(letters[-1]), "comes again"),
        (lambda _, letters: letters.pop(), "late dead letters where"),
    ],
)
def test_a_subscriber_notices(spoil: Callable[[list[Message], list[Message]], object], said: str) -> None:
    """A prediction or dead letter that is missing, doubled or of another value is told."""
    rows, letters = predictions(), [late(offset) for offset in range(totals(ZONES, DAYS).late)]
    spoil(rows, letters)
    expectation = Expectation(ZONES)
    for row in rows:
        expectation.prediction(row)  # type: ignore[arg-type]
    for letter in letters:
        expectation.letter(letter)  # type: ignore[arg-type]
    assert any(said in problem for problem in expectation.finish(DAYS))
