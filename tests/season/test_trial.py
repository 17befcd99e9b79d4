"""A trial is held to made logs, in which it is known what can be read: it never takes a readable message for none."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message, TopicPartition
from hypothesis import example, given, settings
from hypothesis import strategies as st

from season import trial as module
from season.client import consumer
from season.trial import Trial

GOOD, BOMB, MUTE = "good", "bomb", "mute"
Log = list[tuple[str, int]]  # batches: what they are, and how many records they have


@dataclass
class FakeClient:
    """Kafka's client before a made log: what it says of each offset that it is asked to read from."""

    log: Log
    statistics: Callable[[str], None]
    at: int = -1
    partial: int = 0
    answers: list[Message] = field(default_factory=list)
    closed: bool = False

    def assign(self, partitions: list[TopicPartition]) -> None:
        """The next answers are of that offset."""
        self.at = partitions[0].offset

    def poll(self, wait: float) -> Message | None:
        """One event, or none while the client gets nowhere, which its statistics show."""
        kind, first = self.batch()
        if kind == MUTE:
            self.partial += 1
            self.statistics(self.told())
            return None
        code = {GOOD: None, BOMB: KafkaError._BAD_COMPRESSION, "end": KafkaError._PARTITION_EOF}[kind]
        error = None if code is None else KafkaError(code)
        return Message("t", 3, first if kind == BOMB else self.at, None, None, None, error)

    def batch(self) -> tuple[str, int]:
        """What stands at the offset, and where its batch begins."""
        first = 0
        for kind, count in self.log:
            if first <= self.at < first + count:
                return kind, first
            first += count
        return "end", first

    def told(self) -> str:
        """Statistics in the client's form."""
        partitions = {"3": {"next_offset": self.at}}
        return json.dumps(
            {"topics": {"t": {"partitions": partitions}}, "brokers": {"b": {"rxpartial": self.partial}}}
        )

    def close(self) -> None:
        """The end."""
        self.closed = True


def found(log: Log, first: int) -> range:
    """What a trial of the log finds from an offset on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumer, "Consumer", lambda properties: FakeClient(log, properties["stats_cb"]))
        trial = Trial({}, "t", 3, first)
        for _ in range(100_000):
            unreadable = trial.unreadable()
            if unreadable is not None:
                return unreadable
    raise AssertionError("it does not come to an end")


batches = st.tuples(st.sampled_from([GOOD, BOMB, MUTE]), st.integers(1, 40) | st.just(5000))


@settings(max_examples=300)
@given(st.lists(batches, min_size=1, max_size=6), st.data())
@example([(BOMB, 1), (BOMB, 1), (GOOD, 1)], None)
@example([(MUTE, 3), (BOMB, 5), (MUTE, 1)], None)
def test_it_finds_what_cannot_be_read_and_nothing_else(log: Log, data: st.DataObject | None) -> None:
    """From any offset: the rest of its batch, or the row of records that say nothing; none of what can be read."""
    kinds = [(kind, number) for number, (kind, count) in enumerate(log) for _ in range(count)]
    first = 0 if data is None else data.draw(st.integers(0, len(kinds)))
    unreadable = found(log, first)
    assert unreadable.start == first
    wanted = first
    while wanted < len(kinds) and kinds[wanted][0] != GOOD and alike(kinds[wanted], kinds[first]):
        wanted += 1
    assert unreadable.stop == min(wanted, first + module.MAX_OFFSETS)


def alike(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Whether one trial finds both: of one batch, or of one row of records that say nothing."""
    return one[0] == other[0] == MUTE or one == other


def test_one_failure_is_no_proof() -> None:
    """A batch that was damaged on its way, and comes whole at the next try, is readable."""
    tries = iter([BOMB, BOMB, GOOD])

    class Flaky(FakeClient):
        def batch(self) -> tuple[str, int]:
            return next(tries), 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consumer, "Consumer", lambda properties: Flaky([], properties["stats_cb"]))
        trial = Trial({}, "t", 3, 0)
        answers = [trial.unreadable() for _ in range(3)]
    assert answers == [None, None, range(0, 0)]


def test_a_broker_that_is_away_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other errors and silence without data: in the end nothing is known, and nothing is passed over."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    class Away(FakeClient):
        def poll(self, wait: float) -> Message | None:
            self.statistics(self.told())
            return Message("t", 3, 0, None, None, None, KafkaError(KafkaError._TRANSPORT))

    monkeypatch.setattr(consumer, "Consumer", lambda properties: Away([], properties["stats_cb"]))
    trial = Trial({}, "t", 3, 7)
    assert [trial.unreadable() for _ in range(50)] == [None] * 50
    now[0] = 31.0
    assert trial.unreadable() == range(7, 7)


def test_answers_that_get_on_are_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of messages count only while the client stands where it was asked: behind aborted ones it gets on."""

    class Moving(FakeClient):
        def poll(self, wait: float) -> Message | None:
            self.partial += 1
            self.at += 1
            self.statistics(self.told())
            return None

    monkeypatch.setattr(consumer, "Consumer", lambda properties: Moving([], properties["stats_cb"]))
    trial: Any = Trial({}, "t", 3, 7)
    assert [trial.unreadable() for _ in range(50)] == [None] * 50
    monkeypatch.setattr("time.monotonic", lambda: float("inf"))
    assert trial.unreadable() == range(7, 7)
