"""Dead letters carry the original untouched, as much of it as fits."""

import json

import confluent_kafka
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters import letters
from consumer.adapters.letters import Letter, LetterWindow, of_message
from season.client.message import Headers
from season.topics import DEAD_LETTER_BYTES

START = 1622498400  # 2021-05-31T22:00:00Z


def message(
    key: bytes | None = b"IT", value: bytes | None = b"{}", headers: Headers | None = None
) -> confluent_kafka.Message:
    """A message as Kafka's client gives it."""
    return confluent_kafka.Message("readings", 3, 12345, key, value, headers)


class Unreadable(confluent_kafka.Message):
    """A message with a header name that is not UTF-8."""

    def headers(self) -> Headers | None:
        """What the client raises for it."""
        raise SystemError(
            "<method 'headers' of 'cimpl.KafkaMessage' objects> returned a result with an exception set"
        )


def said(letter: Letter) -> str:
    """What the letter says to a person."""
    (error,) = [value for name, value in letter.headers if name == "error"]
    assert isinstance(error, bytes)
    return error.decode()


@pytest.mark.parametrize("key", [None, b"", b"\xff\x00"])
@pytest.mark.parametrize("value", [None, b"", b"\xff\x00{"])
@pytest.mark.parametrize("headers", [None, [], [("reason", b"theirs"), ("a", None), ("a", b"\xff")]])
def test_the_original_is_untouched_and_ours_are_added_at_the_end(
    key: bytes | None, value: bytes | None, headers: Headers | None
) -> None:
    """Null stays null and empty empty, doubled and foreign headers stay, and the source can be found."""
    letter = of_message(message(key, value, headers), "malformed", "not JSON")
    assert (letter.key, letter.value) == (key, value)
    assert letter.headers == [
        *(headers or []),
        ("reason", b"malformed"),
        ("error", b"not JSON"),
        ("source.topic", b"readings"),
        ("source.partition", b"3"),
        ("source.offset", b"12345"),
    ]


def test_headers_that_the_client_cannot_read_are_left_out() -> None:
    """A header name that is not UTF-8 costs all headers, and `error` says so."""
    letter = of_message(Unreadable("readings", 3, 12345, b"IT", b"{}"), "late", "too late")
    assert (letter.key, letter.value) == (b"IT", b"{}")
    assert letter.headers[0][0] == "reason"
    assert said(letter) == "too late; all headers are left out, the name of one is not UTF-8"


def test_the_value_is_left_out_first_then_the_headers_then_the_key() -> None:
    """Only as much is left out as has to be, and `error` says what and, of a value, its size."""
    big = b"x" * (3 * 2**20)
    letter = of_message(message(value=big, headers=[("a", None), ("a", b""), ("", b"\xff")]), "malformed", "not JSON")
    assert (letter.key, letter.value, len(letter.headers)) == (b"IT", None, 8)
    assert said(letter) == (
        "not JSON; the value of 3145728 bytes is left out, a dead letter has at most 2097152 bytes"
    )
    letter = of_message(message(value=b"small", headers=[("a", big)]), "malformed", "not JSON")
    assert (letter.key, letter.value, len(letter.headers)) == (b"IT", None, 5)
    assert said(letter).endswith("bytes; 1 headers are left out as well")
    letter = of_message(message(big, big, [("a", big)]), "malformed", "not JSON")
    assert (letter.key, letter.value, len(letter.headers)) == (None, None, 5)
    assert said(letter).endswith("1 headers are left out as well; the key of 3145728 bytes is left out as well")
    letter = of_message(message(big, None, None), "malformed", "no value")
    assert said(letter) == "no value; the key of 3145728 bytes is left out as well"


sizes = st.integers(0, 3000) | st.integers(1500, 2100)


@given(st.none() | sizes, st.none() | sizes, st.lists(st.tuples(st.text(max_size=5), st.none() | sizes), max_size=4))
def test_no_letter_is_larger_than_the_limit(
    key: int | None, value: int | None, headers: list[tuple[str, int | None]]
) -> None:
    """Whatever the sizes, what surrounds a record counted in; and nothing is left out that would have fitted."""

    def body(size: int | None) -> bytes | None:
        return None if size is None else b"x" * size

    original = message(body(key), body(value), [(name, body(size)) for name, size in headers])
    letter = of_message(original, "late", "too late", limit=2048)
    total = len(letter.key or b"") + len(letter.value or b"")
    total += sum(len(name.encode()) + len(content or b"") + 10 for name, content in letter.headers)
    assert total + 61 + 30 <= 2048
    if letter.value is None and value is not None:
        assert value + (key or 0) + sum(len(n.encode()) + (s or 0) for n, s in headers) > 2048 - 400


def test_the_largest_value_that_fits_is_kept() -> None:
    """A value a little below 2 MiB is kept whole, one of 2 MiB is not."""
    for size, kept in ((DEAD_LETTER_BYTES - 500, True), (DEAD_LETTER_BYTES, False)):
        letter = of_message(message(value=b"x" * size, headers=None), "malformed", "not JSON")
        assert (letter.value is not None) == kept


def window(present: int = 22) -> LetterWindow:
    """A summer day in Rome with its first hours there and the others missing."""
    hours = START + np.arange(24) * 3600
    demands = np.arange(present, dtype=np.float64) + 0.1
    return LetterWindow("I\u0301T", START, START + 86400, hours[:present], demands, hours[present:])


def test_a_window_is_told_as_the_interface_says() -> None:
    """Key and value of a window's letter, both lists in order of time, and no source."""
    letter = letters.incomplete(window(), 1)
    assert letter.key == "I\u0301T".encode()
    assert letter.value is not None
    value = json.loads(letter.value)
    assert list(value) == ["zone", "window_start", "window_end", "readings", "missing"]
    assert (value["zone"], value["window_start"], value["window_end"]) == (
        "I\u0301T",
        "2021-05-31T22:00:00Z",
        "2021-06-01T22:00:00Z",
    )
    assert value["readings"][:2] == [
        {"timestamp": "2021-05-31T22:00:00Z", "demand_mw": 0.1},
        {"timestamp": "2021-05-31T23:00:00Z", "demand_mw": 1.1},
    ]
    assert (len(value["readings"]), value["missing"]) == (22, ["2021-06-01T20:00:00Z", "2021-06-01T21:00:00Z"])
    assert letter.headers == [
        ("reason", b"incomplete_window"),
        ("error", b"2 of 24 hours are missing, at most 1 (MAX_FILLED_HOURS) are filled"),
    ]


def test_only_an_unscorable_window_has_its_revision() -> None:
    """It stands in the place of a prediction, the others do not."""
    unscorable, constant = (
        letters.unscorable(window(24), 3, "italy-load", "3f9c0a1b2c4d"),
        letters.constant(window(24)),
    )
    assert unscorable.value is not None
    assert constant.value is not None
    assert list(json.loads(unscorable.value))[-1] == "revision"
    assert json.loads(unscorable.value)["revision"] == 3
    assert "revision" not in json.loads(constant.value)
    assert json.loads(constant.value)["missing"] == []
    assert [letter.headers[0][1] for letter in (unscorable, constant)] == [b"unscorable_window", b"constant_window"]
    assert said(unscorable) == "the logit of the model italy-load (version 3f9c0a1b2c4d) is not finite"
