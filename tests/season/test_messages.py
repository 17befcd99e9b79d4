"""Messages are written as the interface shows them, and no number loses a bit on the way."""

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from season.messages import (
    Predictions,
    ReadingError,
    decode_prediction,
    decode_reading,
    encode_predictions,
    encode_reading,
    quoted,
)

START = 1622498400  # 2021-05-31T22:00:00Z
finite = st.floats(allow_nan=False, allow_infinity=False)


def predictions(probability: float = 0.03, logit: float = -3.435, step: float = 24871.0, n: int = 1) -> Predictions:
    """So many predictions of Rome's first of June."""
    return Predictions(
        zones=["IT"] * n,
        starts=np.full(n, START),
        ends=np.full(n, START + 86400),
        labels=["summer"] * n,
        probabilities=np.full(n, probability),
        logits=np.full(n, logit, np.float32),
        calendar_labels=["winter"] * n,
        filled=np.full(n, 1),
        revisions=np.arange(n),
        steps=np.full((n, 24), step),
    )


def test_a_reading_is_written_as_the_interface_shows_it() -> None:
    """Field for field, without spaces."""
    written = encode_reading("IT", 1622552400, 31234.5)
    assert written == b'{"zone":"IT","timestamp":"2021-06-01T13:00:00Z","demand_mw":31234.5}'


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50), st.integers(0, 253402300799), finite)
@example('\u0000\u2028"\\', 0, -0.0)
def test_a_reading_is_read_as_it_was_written(zone: str, instant: int, demand: float) -> None:
    """Zone, instant and demand come back, the demand to the bit, unless it is too large for a 32-bit float."""
    written = encode_reading(zone, instant, demand)
    if abs(demand) >= 2.0**128 - 2.0**103:
        with pytest.raises(ReadingError, match="32-bit"):
            decode_reading(written)
        return
    again = decode_reading(written)
    assert (again[0], again[1], again[2].hex()) == (zone, instant, demand.hex())


def test_a_prediction_is_written_as_the_interface_shows_it() -> None:
    """All fields, in the interface's order; the logit is the 32-bit float as a 64-bit one, in full."""
    (written,) = encode_predictions(predictions(), "italy-load", "3f9c0a1b2c4d")
    assert list(json.loads(written).items()) == [
        ("zone", "IT"),
        ("window_start", "2021-05-31T22:00:00Z"),
        ("window_end", "2021-06-01T22:00:00Z"),
        ("label", "summer"),
        ("winter_probability", 0.03),
        ("logit", -3.434999942779541),
        ("calendar_label", "winter"),
        ("filled_hours", 1),
        ("revision", 0),
        ("model", "italy-load"),
        ("model_version", "3f9c0a1b2c4d"),
        ("steps", [24871.0] * 24),
    ]


def digits(number: str) -> str:
    """The significant digits of a number as it is written, with or without an exponent."""
    return number.lower().partition("e")[0].replace(".", "").lstrip("-").strip("0")


@given(finite, st.floats(width=32, allow_nan=False, allow_infinity=False), finite)
@example(5e-324, 0.0, 1.7976931348623157e308)
@example(1e-05, 100000.0, 1e22)
@example(0.1, 3.4028234663852886e38, -0.0)
def test_numbers_are_written_in_full(probability: float, logit: float, step: float) -> None:
    """Each text has the digits of Python's shortest, and any JSON reader reads the same 64-bit float from it."""
    (written,) = encode_predictions(predictions(probability, logit, step), "m", "v")
    texts = json.loads(written, parse_float=str, parse_int=str)
    for text, number in (
        (texts["winter_probability"], probability),
        (texts["logit"], logit),
        (texts["steps"][7], step),
    ):
        assert float(text).hex() == number.hex()
        assert digits(text) == digits(repr(number))


def test_a_subscriber_reads_what_was_written() -> None:
    """A prediction comes back whole, row by row, and further fields do not disturb."""
    written = encode_predictions(predictions(n=3), "m", "v")
    assert [decode_prediction(value).revision for value in written] == [0, 1, 2]
    assert decode_prediction(written[0][:-1] + b',"new":[{}]}') == decode_prediction(written[0])
    assert encode_predictions(predictions(n=0), "m", "v") == []


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\xff", b"[" * 5000, b'{"zone": 1}'])
def test_what_is_no_prediction_is_told(value: bytes | None) -> None:
    """One sentence, whatever the bytes."""
    with pytest.raises(ValueError, match=r"no prediction|not a prediction") as caught:
        decode_prediction(value)
    assert str(caught.value).isprintable()


def test_what_is_quoted_is_short_and_printable() -> None:
    """Control characters are escaped, long texts are cut and their length is told."""
    assert quoted("a\x1b[31m\u202e") == r"'a\x1b[31m\u202e'"
    assert quoted("x" * 1000) == f"'{'x' * 40}'… (1000 characters)"
