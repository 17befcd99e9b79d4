"""What happens to a member at work: a crash at each point of a transaction, a call that fails, a rebalance.

Each scenario is a play's steps. The tests look at each kind more closely; the mutations are tried on all of them.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

from tests.consumer.loop.plays import ABORT, FATAL, HANG, KILL, PARK, REPEAT, Step, play
from tests.fake_kafka.process import AFTER, BEFORE

BEGUN: tuple[Step, ...] = (("start", "one"), ("publish", 90), ("settle",))
"""A member that has a state."""
NEXT: Step = ("publish", 60)
"""What it works at while something happens."""

PUBLISHERS: list[Step] = [
    ("publish_undone", 100),
    ("publish", 20),
    ("go", "one"),
    ("begin",),
    ("publish", 20),
    ("go", "one"),
    ("end", True),
]
"""Readings in a transaction that is aborted, and in one that is open for a while."""

MARKER_DELAY_S = 1.0
OFFSETS, COMMIT = "send_offsets_to_transaction", "commit_transaction"


@dataclass(frozen=True)
class Crash:
    """A call at which a member dies in its next transaction, and what the broker has of that one."""

    call: str
    passing: int = 1
    when: str = BEFORE
    open: bool = False
    committed: bool = False
    marker_delay_s: float = 0.0

    @property
    def steps(self) -> list[Step]:
        """Let it come there."""
        return [("arm", "one", KILL, self.call, self.passing, self.when), NEXT, ("go_until_dead", "one")]


CRASHES = {
    "before 3": Crash("begin_transaction"),
    "in 3": Crash("produce", 2, AFTER, open=True),
    "between 3 and 5": Crash(OFFSETS, open=True),
    "after 5, before 6": Crash(OFFSETS, when=AFTER, open=True),
    "in 6, before the coordinator decided": Crash(COMMIT, open=True),
    "in 6, after it decided": Crash(COMMIT, when=AFTER, committed=True, marker_delay_s=MARKER_DELAY_S),
    "after 6": Crash(COMMIT, when=AFTER, committed=True),
}
"""The rows of ARCHITECTURE's table, by their numbers there."""

MEANWHILE: dict[str, list[Step]] = {
    "a member joins": [("start", "two"), ("go", "two", 60)],
    "it is thrown out, and another one does its work": [("evict", "one"), ("start", "two"), ("go", "two", 200)],
    "it is thrown out, and joins again": [("evict", "one")],
    "it is let in again, and is not told": [("rejoin", "one")],
    "it is let in again, and another one comes": [("rejoin", "one"), ("start", "two"), ("go", "two", 200)],
    "it stands still beyond its transaction": [("wait", 30.0)],
    "it stands still, and another one does its work": [
        ("evict", "one"),
        ("start", "two"),
        ("wait", 30.0),
        ("go", "two", 200),
    ],
}
"""What happens while a member stands still at one of its calls."""

LATE_COMMIT: list[Step] = [
    ("delay_sending", "one"),
    ("arm", "one", PARK, OFFSETS, 1, AFTER),
    NEXT,
    ("go", "one", 1000),
    ("evict", "one"),
    ("start", "two"),
    ("go", "two", 60),
    ("go", "one", 2),
    ("go", "two", 200),
]
"""The group goes on without a member whose offsets it has, and which sends all else of its transaction after that."""

ANSWERS = [
    (answer, call, when)
    for answer in (REPEAT, ABORT, FATAL, HANG)
    for call in (OFFSETS, COMMIT)
    for when in (BEFORE, AFTER)
    if (answer, call, when) != (ABORT, COMMIT, AFTER)  # of what is committed no client says so
]
"""Errors of a call that was not done (before) or was (after)."""


def answered(answer: str, call: str, when: str) -> list[Step]:
    """Let a call get such an answer."""
    return [*BEGUN, ("arm", "one", answer, call, 1, when), NEXT, ("settle",)]


def parked(passing: int, what: str) -> list[Step]:
    """Let a member stand still at one of its calls while others do something."""
    return [*BEGUN, ("arm", "one", PARK, "", passing), NEXT, ("go", "one", 1000), *MEANWHILE[what]]


@functools.cache
def calls() -> int:
    """How many calls the member makes until what was published next is committed."""
    with play() as playing:
        playing.run(BEGUN)
        process = playing.world.members["one"].process
        before = process.calls
        playing.run([NEXT])
        while not playing.world.settled():
            playing.go("one", 1)
        return process.calls - before


def scenarios() -> Iterator[tuple[str, list[Step], float]]:
    """Yield all of them, the many behind the few: a name, the steps, and the delay of markers."""
    for name, crash in CRASHES.items():
        for successor in ("one", "two"):
            steps = [*BEGUN, *crash.steps, ("evict", "one"), ("start", successor)]
            yield f"{name}, then {successor}", steps, crash.marker_delay_s
    for answer in ANSWERS:
        yield ", ".join(answer), answered(*answer), 0.0
    yield "publishers with transactions", [*BEGUN, *PUBLISHERS], 0.0
    yield "it commits while another one restores", [*BEGUN, *LATE_COMMIT], MARKER_DELAY_S
    for what in MEANWHILE:
        for passing in range(1, calls() + 1):
            yield f"{what}, at call {passing}", parked(passing, what), 0.0
