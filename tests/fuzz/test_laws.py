"""What the fuzzer and the flood start from holds; and a broken law is seen."""

from typing import Any

import numpy as np
import pytest

from consumer.adapters.usual import read_usual
from consumer.pipeline import Pipeline
from tests.fuzz import flood, targets


@pytest.mark.parametrize("name", targets.TARGETS)
def test_every_seed_of_the_fuzzer_holds(name: str) -> None:
    """So that what it reports is its own finding."""
    for seed in targets.seeds(name):
        targets.TARGETS[name](seed)


def test_a_short_flood(capsys: pytest.CaptureFixture[str]) -> None:
    """Mutated messages in batches of all sizes: each is a reading or a dead letter, as the slow road says."""
    flood.run(20_000, 7)
    told = capsys.readouterr().out
    assert all(reason in told for reason in ("accepted", "malformed", "bad_timestamp", "key_mismatch"))


def test_a_decoder_that_differs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laws are no formality: a fast road whose demands are off by the last bit breaks them."""

    def inexact(*columns: Any) -> None:
        read_usual(*columns)
        records = columns[-2]
        records["demand"] = np.nextafter(records["demand"], np.inf)

    monkeypatch.setattr("consumer.adapters.decode.read_usual", inexact)
    with pytest.raises(AssertionError):
        flood.run(20_000, 7)


def test_a_reading_that_is_lost_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a pipeline that forgets a message."""
    whole = Pipeline.decode
    monkeypatch.setattr(Pipeline, "decode", lambda self, batch: whole(self, batch[:-1]))
    with pytest.raises(AssertionError):
        targets.stream(next(targets.seeds("stream")))
