"""The chaos' mutations, tried here first: a safety that is taken out of the service shows within seconds."""

import pytest

from consumer.adapters import restore, source
from season.settings import SettingError
from tests.chaos import mutations
from tests.chaos.mutations import MUTATIONS
from tests.consumer.loop.plays import verdict
from tests.consumer.loop.scenarios import scenarios
from tests.fake_kafka.consumer import FakeConsumer
from tests.fake_kafka.producer import FakeProducer

UNSEEN = {"random-id", "origin-ignored", "lost-committed"}
"""Those that change nothing of what comes out, as `survives` says of each; that a stable id saves time is seen in
`test_crashes.py`."""


def take_out(name: str, patch: pytest.MonkeyPatch) -> None:
    """Take a safety out of the service for as long as the patch lasts."""
    patch.setattr(mutations, "_put", patch.setattr)
    patch.setattr(mutations, "Consumer", FakeConsumer)
    patch.setattr(mutations, "Producer", FakeProducer)
    patch.setattr(mutations, "merged_properties", lambda _make, environ, ours: {**ours, **environ["CLIENT"]})
    for module in (restore, source):
        patch.setattr(module, "_READ", dict(module._READ))
    MUTATIONS[name].take_out()


def noticed() -> str:
    """The first scenario that goes wrong, and how; an empty text where none does."""
    for name, steps, marker_delay_s in scenarios():
        try:
            found = verdict(*steps, marker_delay_s=marker_delay_s).failures
        except SettingError as error:  # the changelog is not what a service can have written
            found = [str(error)]
        if found:
            return f"{name}: {found[0]}"
    return ""


@pytest.mark.parametrize("name", sorted(MUTATIONS.keys() - UNSEEN))
def test_a_safety_that_is_missing_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By one of the scenarios of which the other tests here say that nothing is lost or doubled."""
    take_out(name, monkeypatch)
    assert noticed()


def test_of_those_that_are_not_seen_it_is_said_why() -> None:
    """As the chaos says it."""
    assert all(MUTATIONS[name].survives for name in UNSEEN)
