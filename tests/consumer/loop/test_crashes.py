"""Each row of ARCHITECTURE's table of crashes: a member dies at a point, and a successor makes of it what it must."""

import pytest

from tests.consumer.loop.plays import KILL, Play, play, verdict
from tests.consumer.loop.scenarios import BEGUN, CRASHES, Crash, calls
from tests.consumer.loop.world import GROUP, NAMES
from tests.fake_kafka.process import AFTER, BEFORE

TRANSACTION_S = 10.0
"""After which the broker ends a transaction of which nobody takes the id."""


def offsets(playing: Play) -> dict[tuple[str, int], int]:
    """The group's."""
    return dict(playing.world.broker.group(GROUP).offsets)


@pytest.mark.parametrize("successor", ["one", "two"])
@pytest.mark.parametrize("name", CRASHES)
def test_what_a_crash_leads_to(name: str, successor: str) -> None:
    """Before the coordinator has decided nothing is there; after that everything is, whoever comes next.

    Who has the same id ends at once what was left open; another one waits for the transaction's timeout.
    """
    crash = CRASHES[name]
    with play(marker_delay_s=crash.marker_delay_s) as playing:
        playing.run(BEGUN)
        before = offsets(playing)
        playing.run(crash.steps)
        assert playing.world.broker.open_transactions() == (crash.open or crash.marker_delay_s > 0)
        died = playing.world.broker.clock.monotonic()
        if not crash.committed:
            assert offsets(playing) == before
        playing.run([("evict", "one"), ("start", successor), ("settle", successor)])
        assert (playing.world.broker.clock.monotonic() - died > TRANSACTION_S) == (crash.open and successor == "two")
        found = playing.finish()
    assert not found.failures
    assert min(found.predictions, found.letters, found.repeats, found.corrections) > 0


def test_a_restore_writes_nothing_and_is_done_again() -> None:
    """A crash in the middle of a restore leaves nothing behind."""
    with play() as playing:
        playing.run([("start", "one"), ("publish", 120), ("settle",), ("stop", "one"), ("publish", 30)])
        before = [len(log) for name in NAMES for log in playing.world.log(name)]
        playing.run([("start", "one"), ("arm", "one", KILL, "list_offsets", 3, AFTER), ("go_until_dead", "one")])
        assert [len(log) for name in NAMES for log in playing.world.log(name)] == before
        assert not playing.finish().failures


@pytest.mark.parametrize("when", [BEFORE, AFTER])
def test_a_crash_at_any_call_loses_and_doubles_nothing(when: str) -> None:
    """Whichever call of a transaction is the last one that the broker sees, or the first one that it does not."""
    for passing in range(1, calls() + 1):
        crash = Crash("", passing, when)
        found = verdict(*BEGUN, *crash.steps, ("evict", "one"), ("start", "one"))
        assert not found.failures, (passing, found.failures)
