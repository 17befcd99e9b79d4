"""Whose a changelog is: a claim is read back as it was written, and is no part of the state."""

import pytest

from consumer.core.claim import Claim, decode, encode, is_claim, key
from consumer.core.record import DamagedError
from consumer.core.replay import Replay
from season.calendar import Calendar

# As it was first written: after the first release it is read for ever.
WRITTEN = b'{"version":1,"group":"season-consumer","readings":"readings","topic_id":"pZqXvQbCQk2Xw1yqJr0n5A"}'
CLAIM = Claim("season-consumer", "readings", "pZqXvQbCQk2Xw1yqJr0n5A")


def test_a_claim_is_read_as_it_was_written() -> None:
    """Version 1 has these bytes."""
    assert encode(CLAIM) == WRITTEN
    assert decode(WRITTEN) == CLAIM


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "cannot be read"),
        (b"", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b'{"version":1,"group":"g","readings":"r"}', "topic_id"),
        (WRITTEN.replace(b'"version":1', b'"version":2'), "version 2, this program reads version 1"),
    ],
)
def test_what_is_no_claim_is_refused(value: bytes | None, says: str) -> None:
    """With a sentence that says why."""
    with pytest.raises(DamagedError, match=says):
        decode(value)


def test_a_claim_is_known_by_its_key() -> None:
    """No number of a record, and no other text, is a claim's key."""
    assert is_claim(key("0a"))
    assert not any(is_claim(other) for other in (None, b"", b"7", b"IT"))


def test_a_restore_passes_over_claims() -> None:
    """Wherever they stand they change nothing: the state belongs nowhere yet, and the first record has number 0."""
    replay = Replay(Calendar("Europe/Rome"))
    replay.apply(key("0a"), WRITTEN)
    replay.apply(key("0b"), None)
    assert replay.finish().next_number == 0
    assert replay.origin is None
