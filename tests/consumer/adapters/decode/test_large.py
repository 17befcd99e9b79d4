"""Megabytes are judged by the same rule, in little more memory than they take."""

import tracemalloc

import pytest
from hypothesis import given, settings

from consumer.adapters.decode import decode
from tests.consumer.adapters.decode.made import ROME, rows
from tests.hostile_json import READING, hostile


@settings(max_examples=300)
@given(hostile())
def test_what_is_large_is_judged_by_the_same_rule(value: bytes) -> None:
    """A message of megabytes goes a road that keeps nothing of what is ignored: it says the same."""
    usual = decode([b"IT"], [value], 1, ROME)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("season.messages.LARGE_MESSAGE_BYTES", 0)
        large = decode([b"IT"], [value], 1, ROME)
    assert rows(large) == rows(usual)
    assert [rejected.reason for rejected in large.rejected] == [rejected.reason for rejected in usual.rejected]
    for rejected in large.rejected:
        assert rejected.error.isprintable()
        assert len(rejected.error) < 700


@pytest.mark.parametrize("end", [b"]}", b']}"', b'], "x": "\\ud800"}', b'], "zone": "IT"}', b'], "zone": 1}', b"}"])
def test_a_message_of_megabytes_takes_little_more_than_itself(end: bytes) -> None:
    """Whatever is wrong with it: two million arrays within it never become objects."""
    value = READING[:-1] + b', "x": [' + b"[]," * 2_000_000 + b"0" + end
    tracemalloc.start()
    decode([b"IT"], [value], 1, ROME)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * len(value) + 20 * 2**20
