"""The law suite of the core: whatever comes, in whatever batches, it says what the naive reference says."""

from collections import Counter
from copy import deepcopy
from typing import Any

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from consumer.core.changes import Changes
from consumer.core.idle import idle_stream_times
from consumer.core.outcome import Endings, Outcome, Rules, Scorings, Windows
from consumer.core.state import State
from season.calendar import DAY, HOUR, I64
from tests.consumer.core.laws import Case, cases, columns
from tests.reference import Reference, Zone

Event = tuple[Any, ...]
Events = list[Event]
Rows = list[tuple[int, int, Event]]


def told(windows: Windows, kind: str, state: State) -> Rows:
    """Windows as (cause, day, event of the reference)."""
    rows: Rows = []
    for cause, zone, day, hours in zip(windows.causes, windows.zones, windows.days, windows.hours, strict=True):
        instants = state.calendar.hours(int(day)).instants
        values = {int(at): value for at, value in zip(instants, hours, strict=False) if not np.isnan(value)}
        event_ = (
            (kind, state.names.texts(np.array([zone]))[0], day, values)
            if kind != "flattened"
            else (kind, state.names.texts(np.array([zone]))[0], day)
        )
        rows.append((int(cause), int(day), event_))
    return rows


def scored(scorings: Scorings, state: State) -> Rows:
    """Scorings as (cause, day, event of the reference)."""
    rows: Rows = []
    w = scorings.windows
    for i, (cause, day) in enumerate(zip(w.causes.tolist(), w.days.tolist(), strict=True)):
        steps, numbers = tuple(scorings.steps[i].tolist()), (int(scorings.filled[i]), int(scorings.revisions[i]))
        rows.append((cause, day, ("scored", state.names.texts(w.zones[i : i + 1])[0], day, steps, *numbers)))
    return rows


def events_of(outcome: Outcome | Endings, state: State) -> Rows:
    """All that happened to windows, in the order in which it is told."""
    if isinstance(outcome, Outcome):
        rows = scored(outcome.scorings, state) + told(outcome.flattened, "flattened", state)
    else:
        rows = scored(outcome.scored, state)
    rows += told(outcome.incomplete, "incomplete", state) + told(outcome.constant, "constant", state)
    return sorted(rows, key=lambda row: row[:2])


def restored(state: State, pieces: int) -> State:
    """A state made from snapshots of another, in pieces."""
    anew = State(state.calendar)
    for zones in np.array_split(np.arange(state.known), pieces):
        if len(zones):
            anew.apply(state.snapshot(int(zones[0]), int(zones[-1]) + 1))
    return anew


def everything(state: State) -> dict[str, Any]:
    """All that a state holds."""
    whole = state.snapshot(0, state.known)
    hours = np.full((len(whole.hours), 32), np.nan)
    hours[:, : whole.hours.shape[1]] = whole.hours
    present = state.windows_at(state.rows_of(np.arange(state.known)))["present"]
    return {**vars(whole), "hours": hours, "present": present, "open": state.open_windows}


class Pair:
    """The core and its reference, side by side."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.rules = case.rules
        self.state = State(case.calendar)
        self.log: list[Changes] = []
        self.committed: dict[str, Zone] = {}
        self.reference = Reference(case.calendar, case.rules)

    def read(self, start: int, end: int) -> None:
        """Both read the same stretch of readings, and say the same, message by message."""
        stretch = self.case.readings[start:end]
        now = stretch[0][3]
        outcome = self.state.read(self.case.batch(start, end), now, self.rules)
        expected = [self.reference.read(*reading[:3], now) for reading in stretch]
        kinds = [kind for events in expected for kind, *_ in events]
        assert outcome.future.tolist() == [i for i, e in enumerate(expected) if e[0] == ("future",)]
        assert list(zip(outcome.late, outcome.late_days, strict=True)) == [
            (i, e[0][1]) for i, e in enumerate(expected) if e[0][0] == "late"
        ]
        assert outcome.accepted == kinds.count("new") + outcome.repeats + outcome.corrections
        assert (outcome.repeats, outcome.corrections) == (kinds.count("repeat"), kinds.count("correction"))
        windows = [(i, e[2], e) for i, events in enumerate(expected) for e in events if len(e) > 2]
        assert events_of(outcome, self.state) == windows
        for _, _, (kind, *rest) in windows:
            event(f"{kind}, revision > 0" if kind == "scored" and rest[4] else kind)
            event("filled", "scored after filling") if kind == "scored" and rest[3] else None
        self._same_state()

    def close(self, zones: I64, stream: I64, expected: Events) -> None:
        """Windows end without a reading, in both."""
        endings = self.state.advance(zones, stream, self.rules)
        assert [row[2] for row in sorted(events_of(endings, self.state), key=lambda r: (r[2][1], r[1]))] == expected
        self._same_state()

    def fall_silent(self, random: np.random.Generator) -> None:
        """One or two zones with an open window, if there are any, have been silent for too long."""
        if not self.state.open_windows:
            return
        windows = self.state.windows_at(self.state.rows_of(np.arange(self.state.known)))
        zones = np.unique(random.choice(windows["zone"], 2)).astype(np.int64)
        silent = [e for name in self.state.names.texts(zones) for e in self.reference.silence(name)]
        self.close(zones, idle_stream_times(self.state, zones, self.rules), sorted_by_zone(silent))

    def commit(self) -> None:
        """The transaction is committed, and the changelog gets its changes."""
        self.log.append(self.state.changes())
        self.state.commit()
        self.committed = deepcopy(self.reference.zones)

    def rollback(self) -> None:
        """The transaction is aborted."""
        self.state.rollback()
        self.reference.zones = deepcopy(self.committed)
        self._same_state()

    def replay(self) -> None:
        """The state made from all changes that were committed equals the one that made them."""
        self.commit()
        expected, self.state = everything(self.state), State(self.case.calendar)
        for changes in self.log:
            self.state.apply(changes)
        np.testing.assert_equal(everything(self.state), expected)
        self._same_state()

    def _same_state(self) -> None:
        state, zones = self.state, self.reference.zones
        names = state.names.texts(np.arange(state.known))
        assert names == list(zones)
        instant = int(self.case.calendar.hours(0).instants[0])
        known = columns([(name, instant, 0.0, 0.0) for name in names], self.case.calendar)
        state.names.number(known.text, known.records)
        assert known.records["zone"].tolist() == list(range(len(names)))
        assert state.stream.tolist() == [zone.stream for zone in zones.values()]
        assert state.watermark.tolist() == [zone.horizon for zone in zones.values()]
        assert state.open_windows == sum(len(zone.windows) for zone in zones.values())
        windows = state.windows_at(state.rows_of(np.arange(state.known)))
        own = {(names[window["zone"]], int(window["day"])): int(window["revision"]) for window in windows}
        assert own == {(n, day): w.scorings for n, zone in zones.items() for day, w in zone.windows.items()}


@settings(max_examples=300)
@given(cases(), st.sampled_from([1, 2, 7, 50, 1000]), st.integers(0, 2**32 - 1))
def test_any_cut_into_batches_says_what_the_reference_says(case: Case, size: int, seed: int) -> None:
    """However readings fall into batches, each of them does what the rule says of it, message by message."""
    random = np.random.default_rng(seed)
    pair, start = Pair(case), 0
    while start < len(case.readings):
        end = start + int(random.integers(1, 2 * size))
        pair.read(start, end)
        start = end


@settings(max_examples=150)
@given(cases(), st.sampled_from([1, 2, 7, 50]), st.integers(0, 2**32 - 1))
def test_an_aborted_transaction_leaves_nothing(case: Case, size: int, seed: int) -> None:
    """What was read since the last commit is undone to the last bit, and read again in another cut as if for once."""
    random = np.random.default_rng(seed)
    pair, start = Pair(case), 0
    while start < len(case.readings):
        before, end = everything(pair.state), start
        for _ in range(int(random.integers(1, 5))):
            if random.random() < 0.2:
                pair.fall_silent(random)
            elif end < len(case.readings):
                first, end = end, end + int(random.integers(1, 2 * size))
                pair.read(first, end)
        if random.random() < 0.5:
            pair.rollback()
            np.testing.assert_equal(everything(pair.state), before)
        else:
            pair.commit()
            start = end
    pair.replay()


@settings(max_examples=150)
@given(cases(), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_restarts_with_any_rules_go_on_where_they_were(case: Case, pieces: int, seed: int) -> None:
    """Snapshot and restore at any point, in any pieces, is as if nothing had been; what has ended stays ended.

    Each restart may have another grace period; a shorter one ends at once what is then over. Zones fall silent.
    """
    random = np.random.default_rng(seed)
    pair, start = Pair(case), 0
    while start < len(case.readings):
        end = start + int(random.integers(1, 60))
        pair.read(start, end)
        start = end
        if random.random() < 0.3:
            pair.commit()
            pair.state = restored(pair.state, pieces)
            pair._same_state()
            pair.log = [pair.state.snapshot(0, pair.state.known)]
            pair.rules = Rules(
                int(random.choice([0, HOUR, DAY, 3 * DAY])), case.rules.max_filled, case.rules.max_future
            )
            zones = np.arange(pair.state.known)
            stream = pair.state.stream.copy()
            pair.close(zones, stream, sorted_by_zone(pair.reference.restart(pair.rules)))
        if random.random() < 0.2:
            pair.fall_silent(random)
    pair.replay()


def test_nothing_that_can_happen_is_rare() -> None:
    """The generators are not hollow: each thing that a window can do happens in a good share of the cases."""
    seen: Counter[str] = Counter()

    @settings(max_examples=200, derandomize=True, database=None)
    @given(cases(), st.integers(0, 2**32 - 1))
    def count(case: Case, seed: int) -> None:
        random, reference, kinds = np.random.default_rng(seed), Reference(case.calendar, case.rules), set()
        for reading in case.readings:
            events = reference.read(*reading)
            if random.random() < 0.01:
                kinds.add("ended by silence")
                events += reference.silence(str(random.choice(list(reference.zones)))) if reference.zones else []
            kinds |= {name_of(event, case) for event in events}
        seen.update(kinds | {"cases"})

    count()
    wanted = ["late", "future", "repeat", "correction", "complete", "revised", "filled", "incomplete", "constant"]
    wanted += ["flattened", "clock change", "ended by silence"]
    assert all(seen[name] >= 0.05 * seen["cases"] for name in wanted), seen


def name_of(event: Event, case: Case) -> str:
    """What happened, in a word."""
    if event[0] != "scored":
        return str(event[0])
    if len(case.calendar.hours(event[2]).instants) != 24:
        return "clock change"
    return "filled" if event[4] else "revised" if event[5] else "complete"


def sorted_by_zone(events: Events) -> Events:
    """Events by zone, and within it as they are."""
    return sorted(events, key=lambda e: str(e[1]))
