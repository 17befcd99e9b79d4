"""Whether what stands in the topics at the end is what must stand there: nothing lost, doubled or changed."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from consumer.core.claim import is_claim
from consumer.core.outcome import Rules
from consumer.core.record import decode
from consumer.core.state import State
from season import instants
from season.calendar import DAY, Calendar
from tests.integration.oracle import Logged, Oracle, differences
from tests.integration.world import MODEL

ROME = Calendar("Europe/Rome")
RULES = Rules(DAY, 2, 3600.0)
Windows = dict[tuple[str, int], dict[int, float]]  # by zone and start: what stands at each instant


class JudgedTopics(Protocol):
    """The topics of a service, as many partitions each, and what a `read_committed` subscriber sees of them."""

    @property
    def environ(self) -> Mapping[str, str]: ...  # noqa: D102

    @property
    def partitions(self) -> int: ...  # noqa: D102

    def log(self, setting: str) -> list[list[Logged]]: ...  # noqa: D102


@dataclass
class Verdict:
    """What there was, and what is wrong with it."""

    readings: int = 0
    predictions: int = 0
    revised: int = 0
    letters: int = 0
    accepted: int = 0
    ended: int = 0
    open: int = 0
    repeats: int = 0
    corrections: int = 0
    failures: list[str] = field(default_factory=list)


def judge(world: JudgedTopics) -> Verdict:
    """The verdict on a world in which all has been read and nothing runs any more."""
    logs = {name: world.log(name) for name in ("READINGS_TOPIC", "PREDICTIONS_TOPIC", "DEAD_LETTER_TOPIC")}
    topic = world.environ["READINGS_TOPIC"]
    oracle = Oracle(ROME, RULES, MODEL, topic, world.partitions, time.time())
    expected = oracle.read(logs["READINGS_TOPIC"])
    predictions, letters = (
        [message for log in logs[name] for message in log] for name in ("PREDICTIONS_TOPIC", "DEAD_LETTER_TOPIC")
    )
    state = windows_of(world.log("CHANGELOG_TOPIC"))
    verdict = Verdict(
        readings=sum(map(len, logs["READINGS_TOPIC"])),
        predictions=len(predictions),
        revised=sum(json.loads(message.value or b"")["revision"] > 0 for message in predictions),
        letters=len(letters),
        open=sum(map(len, state.values())),
        repeats=expected.repeats,
        corrections=expected.corrections,
        failures=differences(expected, predictions, letters) + _windows_differ(expected.open, state),
    )
    _add_up(verdict, predictions, letters, state)
    return verdict


def windows_of(changelog: Sequence[Sequence[Logged]]) -> Windows:
    """The open windows as the changelog tells them."""
    windows: Windows = {}
    for log in changelog:
        state = State(ROME)
        for record in log:
            if record.value is not None and not is_claim(record.key):
                state.apply(decode(record.value)[0])
        open_ = state.snapshot(0, state.known)
        for zone, day, hours in zip(
            open_.window_zones.tolist(), open_.window_days.tolist(), open_.hours, strict=True
        ):
            there = np.flatnonzero(~np.isnan(hours))
            start = int(ROME.starts(np.array([day]))[0])
            windows[open_.names[zone], start] = dict(
                zip(ROME.hours(day).instants[there].tolist(), hours[there].tolist(), strict=True)
            )
    return windows


def _windows_differ(wanted: Windows, got: Windows) -> list[str]:
    differ = [key for key in wanted.keys() | got.keys() if wanted.get(key) != got.get(key)]
    return [
        f"the changelog's open window of {zone} from {instants.format(start)} differs from the reference's: "
        f"{got.get((zone, start))}, not {wanted.get((zone, start))}"
        for zone, start in sorted(differ)
    ]


def _add_up(verdict: Verdict, predictions: Sequence[Logged], letters: Sequence[Logged], state: Windows) -> None:
    """The ledger, from what was published: accepted = readings in windows + repeats + corrections."""
    sizes: dict[tuple[str, int], int] = {}
    sources = set()
    for message in predictions:
        row = json.loads(message.value or b"")
        hours = _hours(row) - row["filled_hours"]
        sizes[row["zone"], instants.parse(row["window_start"])] = hours
    for message in letters:
        headers = dict(message.headers)
        if "source.offset" in headers:
            sources.add((headers["source.partition"], headers["source.offset"]))
        else:
            row = json.loads(message.value or b"")
            sizes[row["zone"], instants.parse(row["window_start"])] = len(row["readings"])
    verdict.accepted = verdict.readings - len(sources)
    verdict.ended = sum(size for window, size in sizes.items() if window not in state)
    found = verdict.ended + verdict.open + verdict.repeats + verdict.corrections
    if verdict.accepted != found:
        verdict.failures.append(
            f"the ledger does not add up: {verdict.accepted} readings were accepted, and {found} are told: "
            f"{verdict.ended} in ended windows, {verdict.open} in open ones, {verdict.repeats} repeats, "
            f"{verdict.corrections} corrections"
        )


def _hours(row: dict[str, Any]) -> int:
    day = ROME.days(np.array([instants.parse(row["window_start"])]))
    return int(ROME.counts(day)[0])
