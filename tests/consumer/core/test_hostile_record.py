"""A changelog record is read or refused with a sentence, whoever wrote it."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.core.changes import Changes
from consumer.core.record import DamagedError, Origin, decode, encode
from tests.fuzz.laws import changelog, sealed

ORIGIN = Origin("id", 7, "Europe/Rome", "00:00")
TWO = np.array([0, 1])
CHANGES = Changes(
    names=("IT", "é"), zones=TWO, stream=TWO + 10**9, watermark=TWO, cell_zones=TWO, cell_days=TWO - 3,
    cell_indices=TWO + 30, cells=np.array([-0.0, 5e-324]), window_zones=TWO, window_days=TWO, revisions=TWO,
    hours=np.full((2, 25), np.nan), renewed=(0, 2),
)  # fmt: skip
HEAD = {
    "topic_id": "id", "offset": 7, "time_zone": "Europe/Rome", "day_start": "00:00", "first_name": 0, "names": ["IT"],
    "renewed": [0, 0], "lengths": [0, 0, 0, 0], "since": 0,
}  # fmt: skip


def lying(**fields: Any) -> bytes:
    """A record without columns whose checksum fits, and whose head says something else."""
    return sealed(json.dumps(HEAD | fields).encode(), b"")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_sentence(data: bytes) -> None:
    """What is not ours is no record, also behind the first bytes of one."""
    assert not changelog(data)
    assert not changelog(encode(CHANGES, ORIGIN)[:20] + data)


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_record_is_refused(data: st.DataObject) -> None:
    """A byte changed, a piece taken out or put in: the checksum tells, or what stands before it."""
    record = encode(CHANGES, ORIGIN)
    assert changelog(record)
    at = data.draw(st.integers(0, len(record) - 1))
    end = at + data.draw(st.integers(0, 8))
    damaged = record[:at] + data.draw(st.binary(max_size=4)) + record[end:]
    assert damaged == record or not changelog(damaged)


@given(
    st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b"[" * 5000, b'{"names": ["\xff"]}']),
    st.binary(max_size=99),
)
def test_a_checksum_that_fits_is_not_trusted(head: bytes, columns: bytes) -> None:
    """A foreign head, though sealed as ours, is refused in the same way."""
    assert not changelog(sealed(head, columns))


@pytest.mark.parametrize(
    "fields",
    [
        {"lengths": [1, 0, 0, 0]},
        {"lengths": [2**62, 0, 0, 0]},
        {"lengths": [0, 0, 2**31, 2**31]},
        {"lengths": [0, -1, 0, 0]},
        {"lengths": [-4, 5, 0, 0]},  # together as many bytes as are there
        {"lengths": [0, 0, 0, 2**62]},
        {"lengths": [0, 0, 0]},
        {"first_name": 2**62},
        {"first_name": -1},
        {"renewed": [0, 2**62]},
        {"offset": -1},
        {"offset": 2**63},
        {"since": -1},
        {"since": 2**63},
        {"offset": 10**400},
    ],
)
def test_a_head_that_lies_is_refused(fields: dict[str, Any]) -> None:
    """Lengths and numbers that cannot be take no memory and raise nothing else."""
    assert changelog(lying())
    with pytest.raises(DamagedError, match=r"its head"):
        decode(lying(**fields))


@given(st.tuples(*[st.integers(-5, 9)] * 4), st.binary(max_size=300))
def test_lengths_that_do_not_fit_the_columns_are_refused(lengths: tuple[int, ...], columns: bytes) -> None:
    """Only the one sum that fits is read."""
    zones, cells, windows, width = lengths
    fits = min(lengths) >= 0 and 20 * zones + 16 * cells + 12 * windows + 8 * windows * width == len(columns)
    assert changelog(sealed(json.dumps(HEAD | {"lengths": lengths}).encode(), columns)) == fits


def test_another_version_is_named() -> None:
    """So that a person knows which program wrote it."""
    with pytest.raises(DamagedError, match=r"it has format version 2, this program reads version 1"):
        decode(sealed(b"{}", b"", version=2))
