"""What becomes of a message does not depend on those beside it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.adapters.decode import Rejected, decode
from season.calendar import Calendar
from tests.consumer.adapters.decode.made import KATHMANDU, ROME, reading, rows
from tests.hostile_json import READING, hostile, readings

messages = st.tuples(
    st.sampled_from([b"IT", None, b"", b"DE"]) | st.binary(max_size=3),
    st.none() | hostile() | st.just(READING) | st.just(reading(timestamp='"2021-06-01T13:30:00Z"')) | readings(),
)


@settings(max_examples=200)
@given(st.lists(messages, max_size=12), st.sampled_from([1, 4]), st.sampled_from([ROME, KATHMANDU]))
def test_a_batch_equals_one_by_one(
    batch: list[tuple[bytes | None, bytes | None]], partitions: int, calendar: Calendar
) -> None:
    """No message changes what becomes of another, every one has one place, and both lists keep the order."""
    keys, values = [key for key, _ in batch], [value for _, value in batch]
    decoded = decode(keys, values, partitions, calendar)
    alone = [decode([key], [value], partitions, calendar) for key, value in batch]
    assert rows(decoded) == [(row, *rest) for row, each in enumerate(alone) for _, *rest in rows(each)]
    assert decoded.rejected == [
        Rejected(row, each.rejected[0].reason, each.rejected[0].error)
        for row, each in enumerate(alone)
        if each.rejected
    ]
    assert sorted([*decoded.rows.tolist(), *(r.row for r in decoded.rejected)]) == list(range(len(batch)))


def test_messages_cannot_join_hands() -> None:
    """Halves of a reading, or of a character, that would be whole side by side are malformed each."""
    halves = [READING[:20], READING[20:]], [READING + b"\xc3", b"\xa9" + READING], [b"[" + READING, READING + b"]"]
    for pair in halves:
        assert [r.reason for r in decode([b"IT"] * 2, pair, 4, ROME).rejected] == ["malformed"] * 2


def test_an_empty_batch() -> None:
    """Nothing in, empty columns out."""
    decoded = decode([], [], 4, ROME)
    assert (len(decoded.readings), len(decoded.rows), decoded.rejected) == (0, 0, [])
