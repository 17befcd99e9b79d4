"""Which numbers a demand may be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.decode import decode
from season.messages import encode_reading
from tests.consumer.adapters.decode.made import NOON, ROME, one, reading, rows


@pytest.mark.parametrize(
    ("demand", "taken"),
    [
        ("-5e-324", True),
        ("0", True),
        ("-0.0", True),
        ("1E5", True),
        ("340282346638528859811704183484516925440", True),
        (str(2**128 - 2**103), False),
        ("3.4028235677973362e38", True),
        ("3.4028235677973366e38", False),
        ("-3.4028235677973366e38", False),
        ("1e39", False),
        ("1e400", False),
        ("1" + "0" * 400, False),
        ("1e-400", True),
        ("0." + "0" * 5000 + "1", True),
        ("true", False),
        ("null", False),
        ('"1.5"', False),
        ("[1.5]", False),
        ("NaN", False),
        ("Infinity", False),
    ],
)
def test_demand_is_a_number_that_is_finite_as_a_32_bit_float(demand: str, taken: bool) -> None:
    """The edge is where a 64-bit float rounds to infinity as a 32-bit one; a boolean is no number."""
    assert one(reading(demand_mw=demand)) == ("" if taken else "malformed")


@pytest.mark.parametrize("sign", [1, -1])
def test_the_edge_of_demand_is_exact(sign: int) -> None:
    """The last 64-bit float that is finite as a 32-bit one is taken, the next is not, on either road."""
    edge = 2.0**128 - 2.0**103
    for slow in ("", ', "x": "\\ud83d\\ude00"'):
        for demand, finite in ((np.nextafter(edge, 0), True), (edge, False)):
            with np.errstate(over="ignore"):
                assert np.isfinite(np.float32(demand)) == finite
            value = reading(demand_mw=repr(float(sign * demand)) + slow)
            assert one(value) == ("" if finite else "malformed")


@given(st.floats(width=64, allow_nan=False, allow_infinity=False, min_value=-3e38, max_value=3e38))
def test_demand_is_kept_as_a_64_bit_float(demand: float) -> None:
    """What a publisher wrote comes out to the bit."""
    assert rows(decode([b"IT"], [encode_reading("IT", NOON, demand)], 4, ROME)) == [(0, "IT", NOON, demand.hex())]
