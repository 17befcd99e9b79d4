"""Demands as people write them: decimal marks, thousands, and what is no number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from season.files.numbers import demand
from season.messages import DEMAND_LIMIT


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("31234.5", None, 31234.5), ("+5", None, 5.0), ("-5.", None, -5.0), (".5", None, 0.5), ("1e3", None, 1000.0),
        ("31,234.5", None, 31234.5), ("1,031,234.5", None, 1031234.5), ("31 234", None, 31234.0),
        ("31\u00a0234.5", None, 31234.5), ("31'234.5", None, 31234.5), ("31,234", ".", 31234.0),
        ("31234,5", ",", 31234.5), ("31.234,5", ",", 31234.5), ("31.234", ",", 31234.0),
        ("1.031.234", ",", 1031234.0),
        ("-31 234,5", ",", -31234.5), ("31,234", ",", 31.234), ("3.4028235e38", None, 3.4028235e38),
    ],
)  # fmt: skip
def test_demands_with_decimal_marks_and_thousands(text: str, decimal: str | None, value: float) -> None:
    """The mark that is not the decimal one may group digits by three, and so may spaces and apostrophes."""
    assert demand(text, decimal) == value


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("", None), ("N/A", None), ("n/e", None), ("-", None), ("nan", None), ("inf", None), ("1_000", None),
        ("31,234", None), ("31234,5", None), ("31,23,456", None), ("1,031 234", None), ("31234.5", ","),
        ("1,234,5", ","), ("1.234.5", None), ("\u0663", None), ("0x10", None), ("1e39", None), ("-1e39", None),
        ("5 MW", None), ("1e999", None), ("- 5", None), ("1.234,5", "."), ("1,234.5", ","),
    ],
)  # fmt: skip
def test_a_text_that_is_no_demand_is_refused(text: str, decimal: str | None) -> None:
    """What is not clearly one finite number is a sentence, never a guess."""
    with pytest.raises(ValueError, match="demand"):
        demand(text, decimal)


@given(st.floats(-3e38, 3e38))
def test_a_number_is_read_to_the_last_bit(value: float) -> None:
    """Reading adds no rounding of its own, with either decimal mark."""
    assert demand(repr(value), None) == value
    assert demand(repr(value).replace(".", ","), ",") == value


def test_the_limit_of_a_demand_is_that_of_32_bit_floats() -> None:
    """The last 64-bit float that still rounds to a finite 32-bit one is taken, the next is not."""
    assert demand("3.4028235677973362e38", None) < DEMAND_LIMIT
    with pytest.raises(ValueError, match="32-bit"):
        demand("3.4028235677973366e38", None)
