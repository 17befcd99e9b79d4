"""What the fuzzer and the flood start from holds; and a broken law is seen."""

import pytest

from consumer.partition import Partition
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
    """The laws are no formality: a fast road without its check of UTF-8 breaks them."""
    monkeypatch.setattr("season.strict_json.is_utf8", lambda _: True)
    with pytest.raises(AssertionError):
        flood.run(20_000, 7)


def test_a_reading_that_is_lost_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a partition that forgets a message."""
    whole = Partition.read
    monkeypatch.setattr(Partition, "read", lambda self, batch, *rest: whole(self, batch[:-1] or batch, *rest))
    with pytest.raises(AssertionError):
        targets.stream(next(targets.seeds("stream")))
