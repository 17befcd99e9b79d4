"""What a `read_committed` subscriber must see, told by the naive reference from each partition's log."""

import functools
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from consumer.core.outcome import Rules
from season.calendar import Calendar
from season.labels import calendar_label
from season.messages import ReadingError, decode_reading
from tests.reference import Events, Reference

Headers = list[tuple[str, bytes | None]]
_WINDOW_REASONS = {b"incomplete_window", b"constant_window"}


@dataclass(frozen=True)
class Logged:
    """A message as it stands in a topic; its time in seconds since the epoch."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    time: float = 0.0


@dataclass
class Expected:
    """What must have been published, by zone and in order: predictions (without steps' text) and dead letters."""

    predictions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    letters: list[tuple[bytes | None, bytes | None, Headers]] = field(default_factory=list)
    windows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    open: dict[tuple[str, int], dict[int, float]] = field(default_factory=dict)  # by zone and start: what stands
    accepted: int = 0
    repeats: int = 0
    corrections: int = 0


class Oracle:
    """The service as one reads its rule: one message after the other, one window after the other."""

    def __init__(
        self, calendar: Calendar, rules: Rules, model: Path, topic: str, partitions: int, now: float
    ) -> None:
        self.calendar, self.rules, self.topic, self.partitions, self.now = calendar, rules, topic, partitions, now
        self.session = _session(str(model))
        self.expected = Expected()

    def read(self, logs: Iterable[Sequence[Logged]]) -> Expected:
        """All that the logs of the partitions must have led to."""
        for log in logs:
            reference = Reference(self.calendar, self.rules)
            for message in log:
                self._message(message, reference)
            for name, zone in reference.zones.items():
                for day, window in zone.windows.items():
                    self.expected.open[name, int(self.calendar.starts(np.array([day]))[0])] = window.values
        return self.expected

    def _message(self, message: Logged, reference: Reference) -> None:
        try:
            zone, instant, demand = decode_reading(message.value)
        except ReadingError as error:
            return self._letter(message, error.reason)
        if not self.calendar.on_the_hour(np.array([instant]))[0]:
            return self._letter(message, "bad_timestamp")
        if message.key != zone.encode() and not (message.key is None and self.partitions == 1):
            return self._letter(message, "key_mismatch")
        events = reference.read(zone, instant, demand, self.now)
        if events[0][0] in {"future", "late"}:
            return self._letter(message, "future_reading" if events[0][0] == "future" else "late")
        kinds = [kind for kind, *_ in events]
        self.expected.accepted += 1
        self.expected.repeats += kinds.count("repeat")
        self.expected.corrections += kinds.count("correction")
        return self._windows(events)

    def _letter(self, message: Logged, reason: str) -> None:
        source = (self.topic, message.partition, message.offset)
        named = zip(("source.topic", "source.partition", "source.offset"), source, strict=True)
        headers: Headers = [("reason", reason.encode()), *((name, str(value).encode()) for name, value in named)]
        self.expected.letters.append((message.key, message.value, message.headers + headers))

    def _windows(self, events: Events) -> None:
        for kind, *rest in events:
            if kind == "scored":
                zone, day, steps, filled, revision = rest
                prediction = self._prediction(zone, day, steps, filled, revision)
                self.expected.predictions.setdefault(zone, []).append(prediction)
            elif kind in {"incomplete", "constant"}:
                zone, day, values = rest
                self.expected.windows.append((f"{kind}_window", self._window(zone, day, values)))

    def _prediction(
        self, zone: str, day: int, steps: tuple[float, ...], filled: int, revision: int
    ) -> dict[str, Any]:
        window = np.array([day])
        load = np.array(steps, np.float64).astype(np.float32).reshape(1, 1, 24)
        logit = float(self.session.run(None, {self.session.get_inputs()[0].name: load})[0][0, 0])
        probability = 1 / (1 + math.exp(-logit))
        return {
            "zone": zone,
            "window_start": text(int(self.calendar.starts(window)[0])),
            "window_end": text(int(self.calendar.ends(window)[0])),
            "label": "winter" if probability >= 0.5 else "summer",
            "winter_probability": probability,
            "logit": logit,
            "calendar_label": calendar_label(int(self.calendar.months(window)[0])),
            "filled_hours": filled,
            "revision": revision,
            "steps": list(steps),
        }

    def _window(self, zone: str, day: int, values: dict[int, float]) -> dict[str, Any]:
        window = np.array([day])
        hours = self.calendar.hours(day).instants.tolist()
        return {
            "zone": zone,
            "window_start": text(int(self.calendar.starts(window)[0])),
            "window_end": text(int(self.calendar.ends(window)[0])),
            "readings": [{"timestamp": text(at), "demand_mw": values[at]} for at in hours if at in values],
            "missing": [text(at) for at in hours if at not in values],
        }


@functools.cache
def _session(model: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model)


def text(instant: int) -> str:
    """An instant as messages have it."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def compare(expected: Expected, predictions: Sequence[Logged], letters: Sequence[Logged]) -> None:
    """Every prediction and every dead letter, each exactly once and with its values, and no other."""
    found = differences(expected, predictions, letters)
    assert not found, "\n".join(found[:20])


def differences(expected: Expected, predictions: Sequence[Logged], letters: Sequence[Logged]) -> list[str]:
    """A sentence for each thing that was published and must not have been, or the other way round."""
    found: list[str] = []
    seen: dict[str, list[dict[str, Any]]] = {}
    for message in predictions:
        prediction = json.loads(message.value or b"")
        if message.key != prediction["zone"].encode():
            found.append(f"a prediction of zone {prediction['zone']} has the key {message.key!r}")
        seen.setdefault(prediction["zone"], []).append(prediction)
    for zone in sorted(expected.predictions.keys() | seen.keys()):
        found += _of_zone(zone, expected.predictions.get(zone, []), seen.get(zone, []))
    windows = [m for m in letters if dict(m.headers)["reason"] in _WINDOW_REASONS]
    told = [(str(dict(m.headers)["reason"]), json.dumps(json.loads(m.value or b""))) for m in windows]
    found += _counted("window letter", [(str(r.encode()), json.dumps(v)) for r, v in expected.windows], told)
    messages = [
        (m.key, m.value, [(name, value) for name, value in m.headers if name != "error"])
        for m in letters
        if dict(m.headers)["reason"] not in _WINDOW_REASONS
    ]
    return found + _counted("dead letter", expected.letters, messages)


def _of_zone(zone: str, wanted: list[dict[str, Any]], got: list[dict[str, Any]]) -> list[str]:
    names = [[f"{p['window_start']} revision {p['revision']}" for p in rows] for rows in (wanted, got)]
    found = _counted(f"prediction of {zone},", *names)
    if found:
        return found
    if names[0] != names[1]:
        return [f"the predictions of {zone} come in another order than the messages that caused them"]
    pairs = zip(wanted, got, strict=True)
    return [f"another value: {_other(a, b)} in {b}" for a, b in pairs if _other(a, b)]


def _other(wanted: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """The fields that differ; the logit may by what a network's batches change in its last bits."""
    logit, probability = got["logit"], got["winter_probability"]
    close = {
        "logit": math.isclose(logit, wanted["logit"], rel_tol=1e-6, abs_tol=1e-6),
        "winter_probability": math.isclose(probability, 1 / (1 + math.exp(-logit)), rel_tol=1e-15),
        "model": True,
        "model_version": True,
    }
    return [name for name in wanted.keys() | got.keys() if not close.get(name, got.get(name) == wanted.get(name))]


def _counted(what: str, wanted: Sequence[Any], got: Sequence[Any]) -> list[str]:
    """What is lost, and what is there once too often or never should be."""
    must, is_ = Counter(map(repr, wanted)), Counter(map(repr, got))
    lost = [f"{what} lost: {one}" for one in (must - is_).elements()]
    return lost + [f"{what} {'doubled' if one in must else 'too many'}: {one}" for one in (is_ - must).elements()]
