"""Whatever happens in whatever order: what comes out is what the naive reference makes of the readings, each once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.consumer.loop.plays import ABORT, FATAL, HANG, KILL, REPEAT, Step, verdict
from tests.consumer.loop.scenarios import COMMIT, OFFSETS
from tests.fake_kafka.process import AFTER, BEFORE

NAMES = st.sampled_from(["one", "two", "three"])
WHEN = st.sampled_from([BEFORE, AFTER])


def step(name: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Step]:
    """A step of this name."""
    return st.tuples(st.just(name), *arguments)


ANSWERED = st.sampled_from([REPEAT, FATAL, HANG])
STEPS: list[st.SearchStrategy[Step]] = [
    step("start", NAMES, st.sampled_from([1, 7, 1000])),
    step("go", NAMES, st.integers(1, 80)),
    step("go", NAMES, st.integers(1, 80)),
    step("publish", st.integers(1, 40)),
    step("publish_undone", st.integers(1, 40)),
    step("begin"),
    step("end", st.booleans()),
    step("kill", NAMES),
    step("stop", NAMES),
    step("evict", NAMES),
    step("rejoin", NAMES),
    step("delay_sending", NAMES),
    step("wait", st.sampled_from([0.5, 6.0, 30.0])),
    step("arm", NAMES, st.just(KILL), st.just(""), st.integers(1, 60), WHEN),
    step("arm", NAMES, st.just(ABORT), st.sampled_from(["produce", OFFSETS]), st.integers(1, 4)),
    step("arm", NAMES, ANSWERED, st.sampled_from([OFFSETS, COMMIT, "abort_transaction"]), st.integers(1, 3), WHEN),
    step("arm", NAMES, st.just(REPEAT), st.sampled_from(["list_offsets", "committed"]), st.integers(1, 3)),
]


@settings(max_examples=150)
@given(
    steps=st.lists(st.one_of(STEPS), max_size=40),
    seed=st.integers(0, 20),
    marker_delay_s=st.sampled_from([0.0, 0.3, 2.0]),
)
def test_nothing_is_lost_or_doubled(steps: list[Step], seed: int, marker_delay_s: float) -> None:
    """Readings come, members work, die, are thrown out and come again, calls fail, and what they did may get lost."""
    begun: list[Step] = [("start", "one"), ("start", "two"), ("publish", 20)]
    found = verdict(*begun, *steps, seed=seed, marker_delay_s=marker_delay_s)
    assert not found.failures
