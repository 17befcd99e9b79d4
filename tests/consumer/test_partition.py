"""Where a partition goes on, whatever its messages say of their places."""

import json

import numpy as np
import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.changelog import Changelog
from consumer.core.outcome import Rules
from consumer.core.state import State
from consumer.decision import Decision
from consumer.partition import Partition
from consumer.pipeline import Pipeline
from consumer.settings import Settings
from season import instants
from season.calendar import DAY, Calendar
from season.settings import load
from season.topics import Topic

ROME = Calendar("Europe/Rome")


def made(rules: Rules, next_offset: int = 0) -> Partition:
    """A partition whose pipeline has these rules."""
    return Partition(
        number=0,
        pipeline=Pipeline(state=State(ROME), rules=rules),
        topic=Topic("t", 1, "id"),
        changelog=Changelog(),
        next_offset=next_offset,
        committed_offset=-1,
    )


def partition(next_offset: int = 0) -> Partition:
    """One that has read nothing yet."""
    return made(Rules(DAY, 2, 3600.0), next_offset)


def decide(partition: Partition, messages: list[Message], now: float, end: int) -> Decision:
    """What a partition decides of messages."""
    return partition.read(messages, partition.pipeline.decode(messages), now, end)


def messages(*offsets: int) -> list[Message]:
    """Messages that are no readings."""
    return [Message("t", 0, offset, b"k", b"{}") for offset in offsets]


@pytest.mark.parametrize(
    ("offsets", "end", "next_offset"),
    [
        ((5, 6, 7), 8, 8),
        ((5, 6, 7), 100, 8),
        ((5, 9), 100, 10),  # what lies between are markers of transactions, or gone
        ((5, 2**30), 7, 7),
        ((5, 2**30, 7), 8, 8),
        ((2**30,), 6, 6),
        ((7, 2**30), 7, 7),
        ((2**30, 2**30 + 1), 7, 7),
    ],
)
def test_no_offset_behind_the_end_is_believed(offsets: tuple[int, ...], end: int, next_offset: int) -> None:
    """A record whose publisher wrote such an offset into it takes one place, and what comes behind it is not lost."""
    read = partition(5)
    assert len(decide(read, messages(*offsets), 0.0, end).rejected) == len(offsets)
    assert read.next_offset == next_offset


@given(st.lists(st.integers(0, 2**40), min_size=1), st.integers(1, 100))
def test_the_next_offset_is_never_behind_the_end(offsets: list[int], end: int) -> None:
    """So the next start never finds a state that has read more than there is."""
    read = partition(0)
    decide(read, messages(*offsets), 0.0, end)
    assert 0 < read.next_offset <= end


def test_an_end_that_is_reached_sets_the_place_anew() -> None:
    """The client's word on where it stands counts more than what a message says."""
    read = partition(5)
    decide(read, messages(90), 0.0, 100)
    assert (read.lag(-1), read.lag(100)) == (None, 9)
    read.reach_end(6)
    assert (read.next_offset, read.at_end, read.lag(6)) == (6, True, 0)


def test_what_cannot_be_read_is_a_dead_letter_for_each_offset() -> None:
    """With its place in the sentence, nothing scored, and the offset behind them next; undone like all else."""
    read = partition(5)
    decision = read.skip(range(5, 8))
    assert [(m.offset(), m.key(), m.value()) for m in decision.messages] == [(o, None, None) for o in (5, 6, 7)]
    assert [(r.row, r.reason) for r in decision.rejected] == [(row, "malformed") for row in range(3)]
    assert decision.rejected[1].error == (
        "the message at offset 6 of partition 0 of t cannot be unpacked or parsed by the Kafka client"
    )
    assert len(decision.scorings.steps) == 0
    assert (read.next_offset, read.skipped) == (8, True)
    read.rollback()
    assert (read.next_offset, read.skipped) == (5, False)


def test_what_comes_too_late_or_too_early_is_told_with_the_setting_as_it_was_typed() -> None:
    """48h, not 172800 s."""
    rules = load(Settings, {"GRACE_PERIOD": "48h", "MAX_FUTURE": "1.5h"}).rules
    read = made(rules)
    stamps = ["2021-06-09T12:00:00Z", "2021-06-01T12:00:00Z", "2021-06-09T14:00:00Z"]
    values = [json.dumps({"zone": "IT", "timestamp": stamp, "demand_mw": 1}).encode() for stamp in stamps]
    now = instants.parse("2021-06-09T12:00:00Z")
    future, late = decide(read, [Message("t", 0, i, b"IT", value) for i, value in enumerate(values)], now, 9).rejected
    assert "is more than 1.5h (MAX_FUTURE) ahead of the wall clock" in future.error
    assert late.error.endswith("and 48h of grace (GRACE_PERIOD) after it are over")


def test_what_stands_before_and_behind_is_one_window() -> None:
    """What is passed over changes no state."""
    read = partition()
    day = int(ROME.starts(np.array([18779]))[0])
    hours = [np.datetime64(day + hour * 3600, "s") for hour in range(24)]
    values = [json.dumps({"zone": "IT", "timestamp": f"{hour}Z", "demand_mw": i}) for i, hour in enumerate(hours)]
    whole = [Message("t", 0, offset, b"IT", value.encode()) for offset, value in enumerate(values)]
    assert len(decide(read, whole[:10], 2e9, 90).scorings.steps) == 0
    read.skip(range(10, 50))
    assert len(decide(read, whole[10:], 2e9, 90).scorings.steps) == 1
