"""Reading a changelog back: a log that is not whole, or not ours alone, is refused with a sentence."""

import numpy as np
import pytest

from consumer.core import changelog
from consumer.core.changelog import Changelog, Record
from consumer.core.changes import Changes
from consumer.core.outcome import Rules
from consumer.core.record import DamagedError, Origin, encode
from consumer.core.replay import Replay
from consumer.core.state import State
from season.calendar import DAY
from tests.consumer.core.laws import calendar_of, columns

ROME = calendar_of("Europe/Rome", "00:00")
ORIGIN = Origin("id", 7, "Europe/Rome", "00:00")
START = 1_640_000_000 // 3600 * 3600
RULES = Rules(DAY, 2, 0.0)


def written(commits: int, zones: int = 40) -> tuple[list[Record], State, Changelog]:
    """The log of some commits, in which every zone has an hour more each time."""
    state, own, log = State(ROME), Changelog(), list[Record]()
    for commit in range(commits):
        rows = [(f"zone {i}", START + commit * 3600, float(i), 9e9) for i in range(zones)]
        state.read(columns(rows, ROME), 9e9, RULES)
        log += own.records(state, state.changes(), ORIGIN)
        state.commit()
    return log, state, own


def needed(log: list[Record], own: Changelog) -> list[int]:
    """Where in the log the records stand that are not superseded."""
    return [i for i, (key, value) in enumerate(log) if value is not None and int(key) >= own.since]


def replayed(log: list[Record]) -> tuple[State, Changelog]:
    """What a log comes to."""
    replay = Replay(ROME)
    for key, value in log:
        replay.apply(key, value)
    own = replay.finish()
    return replay.state, own


@pytest.mark.parametrize("chunk_bytes", [2000, 100_000])
def test_a_record_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, chunk_bytes: int) -> None:
    """Without any one of the records that are needed, but for the last, nothing is restored."""
    monkeypatch.setattr(changelog, "_CHUNK_BYTES", chunk_bytes)
    log, state, own = written(30)
    assert own.since > 0
    assert replayed(log)[0].open_windows == state.open_windows
    places = needed(log, own)
    assert places
    for place in places[:-1]:
        with pytest.raises(DamagedError, match="missing"):
            replayed(log[:place] + log[place + 1 :])


def test_a_log_of_two_writers_is_told() -> None:
    """Numbers only grow: where one comes again, another program writes here too."""
    log, _, _ = written(5)
    with pytest.raises(DamagedError, match="somebody else"):
        replayed(log + [record for record in log if record[1] is not None][-1:])


@pytest.mark.parametrize("key", [None, b"", b"IT", b"-1", b"9" * 19])
def test_a_key_that_is_no_number_is_told(key: bytes | None) -> None:
    """What stands here under another key is not ours, a tombstone included."""
    with pytest.raises(DamagedError, match="key"):
        Replay(ROME).apply(key, None)


def test_names_that_are_left_out_are_told() -> None:
    """Differences do not close the gap that a missing name leaves between them."""
    for first, whole in ((2, True), (3, False)):
        replay = Replay(ROME)
        for at, (number, name) in enumerate([(0, ("a", "b")), (0, ()), (first, ("c",))]):
            replay.apply(b"%d" % at, encode(Changes(names=name, first_name=number), ORIGIN))
        if whole:
            replay.finish()
            assert replay.state.names.texts(np.arange(3)) == ["a", "b", "c"]
        else:
            with pytest.raises(DamagedError, match="names"):
                replay.finish()


def test_many_small_commits_leave_few_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little each commit changes, the records that a restart must read stay in proportion to the state."""
    monkeypatch.setattr(changelog, "_RECORDS_WORTH_A_STATE", 100)
    zones, random = 3000, np.random.default_rng(0)
    state, own = State(ROME), Changelog()
    rows = [(f"zone {i}", START + hour * 3600, 1.0, 9e9) for hour in (0, 24) for i in range(zones)]
    state.read(columns(rows, ROME), 9e9, RULES)
    own.records(state, state.changes(), ORIGIN)
    state.commit()
    limit = state.size // changelog._RECORD_COST_BYTES
    for _ in range(5 * limit):
        zone = int(random.integers(0, zones))
        state.read(columns([(f"zone {zone}", START + 25 * 3600, random.random(), 9e9)], ROME), 9e9, RULES)
        own.records(state, state.changes(), ORIGIN)
        state.commit()
        assert own.next_number - own.since < 2.5 * limit
