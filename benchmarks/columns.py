"""Readings as the core takes them, made from names, instants and demands."""

from collections.abc import Sequence

import numpy as np

from consumer.core.columns import READING
from consumer.core.days import locate
from consumer.core.outcome import Readings
from season.calendar import I64, Calendar
from season.steps import F64


def columns(names: Sequence[str], instants: I64, demands: F64, calendar: Calendar) -> Readings:
    """Return readings [n] of zones with these names."""
    encoded = [name.encode() for name in names]
    records = np.zeros(len(encoded), READING)
    records["name_length"] = [len(name) for name in encoded]
    records["name_start"] = np.cumsum(records["name_length"]) - records["name_length"]
    records["instant"], records["demand"] = instants, demands
    _, clocks = locate(records, calendar)
    return Readings(np.frombuffer(b"".join(encoded), np.uint8), records, clocks)
