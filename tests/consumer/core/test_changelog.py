"""The changelog: whatever a broker's compaction leaves of it gives the state back, and it stays small."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.core import changelog
from consumer.core.changelog import Changelog, Record
from consumer.core.changes import Changes
from consumer.core.outcome import Rules
from consumer.core.record import DamagedError, Origin, decode, encode
from consumer.core.replay import Replay
from consumer.core.state import State
from season.calendar import DAY, Calendar
from tests.consumer.core.laws import Case, calendar_of, cases, columns

ORIGIN = Origin("id", 7, "Europe/Rome", "00:00")


def columns_of(changes: Changes) -> list[object]:
    """Changes as plain lists, to compare."""
    return [np.nan_to_num(v, nan=-1.0).tolist() if isinstance(v, np.ndarray) else v for v in vars(changes).values()]


def compacted(log: list[Record], random: np.random.Generator) -> list[Record]:
    """What compaction may leave: of superseded records any part, tombstones where it has not come by yet."""
    dead = {key for key, value in log if value is None}
    cleaned = len(log) if random.random() < 0.5 else int(random.integers(0, len(log) + 1))
    return [
        (key, value) for i, (key, value) in enumerate(log) if i >= cleaned or key not in dead or random.random() < 0.3
    ]


def read_back(log: list[Record], calendar: Calendar) -> tuple[State, Changelog]:
    """Replays a log, as a restart does."""
    reading = Replay(calendar)
    for key, value in log:
        reading.apply(key, value)
    own = reading.finish()
    return reading.state, own


@settings(max_examples=100)
@given(cases(), st.integers(0, 2**32 - 1), st.sampled_from([1, 300, 100000]))
def test_what_compaction_leaves_gives_the_state_back(case: Case, seed: int, chunk: int) -> None:
    """At any commit, after any restarts, the log as compaction may leave it restores the state and the turn."""
    random, log = np.random.default_rng(seed), list[Record]()
    state, own, start = State(case.calendar), Changelog(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changelog, "_CHUNK_BYTES", chunk)
        patch.setattr(changelog, "_MAX_RECORD_ROWS", int(random.choice([1, 3, 8192])))
        while start < len(case.readings):
            for _ in range(int(random.integers(1, 4))):
                end = start + int(random.integers(1, 40))
                batch = case.readings[start:end]
                start = end
                if batch:
                    state.read(columns(batch, case.calendar), batch[0][3], case.rules)
            log += own.records(state, state.changes(), ORIGIN)
            state.commit()
            if random.random() < 0.2:
                restored, again = read_back(compacted(log, random), case.calendar)
                assert replace(again, oldest=0, owed=0) == replace(own, oldest=0, owed=0)
                zones = state.known
                assert columns_of(restored.snapshot(0, zones)) == columns_of(state.snapshot(0, zones))
                state, own = restored, again


def test_the_log_stays_in_proportion_to_the_state() -> None:
    """What is alive stays below five times the state; no commit writes much more than it changed."""
    state, own, random = State(calendar_of("Europe/Rome", "00:00")), Changelog(), np.random.default_rng(0)
    alive: dict[bytes, int] = {}
    names = [f"zone {i}" for i in range(3000)]
    sizes, wholes = np.zeros(400, np.int64), np.zeros(400, np.int64)
    for commit in range(400):
        zones = random.integers(0, len(names), 500)
        rows = [(names[z], 1_640_000_000 // 3600 * 3600 + commit // 4 * 3600, float(z), 9e9) for z in zones]
        state.read(columns(rows, state.calendar), 9e9, Rules(DAY, 2, 0.0))
        changes, written = state.changes(), 0
        for key, value in own.records(state, changes, ORIGIN):
            written += len(value or b"")
            alive.pop(key, None) if value is None else alive.update({key: len(value)})
        sizes[commit] = sum(alive.values())
        assert written < 3 * (len(encode(changes, ORIGIN)) + changelog._CHUNK_BYTES)
        state.commit()
        wholes[commit] = len(encode(state.snapshot(0, state.known), ORIGIN))
    assert (sizes[50:] < 5 * wholes[50:].max()).all()


@pytest.mark.parametrize("zones", [100, 10_000, 100_000])
def test_what_a_commit_writes_grows_with_what_changed_not_with_what_is_open(zones: int) -> None:
    """Two windows of every zone are open, and 100 readings change: no commit writes more than those and a chunk."""
    state, own, random = State(calendar_of("Europe/Rome", "00:00")), Changelog(), np.random.default_rng(0)
    names, start, rules = [f"zone {i}" for i in range(zones)], 1_640_000_000 // 3600 * 3600, Rules(DAY, 2, 0.0)
    for hour in (0, 24):
        rows = [(name, start + hour * 3600, 1.0, 9e9) for name in names]
        state.read(columns(rows, state.calendar), 9e9, rules)
        state.commit()
    assert state.open_windows == 2 * zones
    total = told = 0
    for commit in range(100):
        rows = [(names[z], start + (25 + commit // 10) * 3600, float(z), 9e9) for z in random.integers(0, zones, 100)]
        state.read(columns(rows, state.calendar), 9e9, rules)
        changes = state.changes()
        written = sum(len(value or b"") for _, value in own.records(state, changes, ORIGIN))
        state.commit()
        assert written < 16_000 + 1.2 * changelog._CHUNK_BYTES
        total, told = total + written, told + len(encode(changes, ORIGIN))
    assert total < 2 * (told + 100 * changelog._RECORD_COST_BYTES) + 1.2 * changelog._CHUNK_BYTES


@settings(max_examples=300)
@given(st.data())
def test_damaged_records_are_refused(data: st.DataObject) -> None:
    """A record with any byte changed, cut short, or of another program is refused with a sentence."""
    whole = encode(Changes(names=("a", "b"), zones=np.arange(2), stream=np.arange(2), watermark=np.arange(2)), ORIGIN)
    assert columns_of(decode(whole)[0])[0] == ("a", "b")
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    for bad in (changed, whole[:at], data.draw(st.binary(max_size=60))):
        with pytest.raises(DamagedError):
            decode(bad)
