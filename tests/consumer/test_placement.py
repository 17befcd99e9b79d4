"""Where a partition goes on after its restore: state, group and topic agree, or a sentence says what to do."""

import pytest

from consumer.adapters.restore import Restored
from consumer.core.changelog import Changelog
from consumer.core.claim import Claim
from consumer.core.outcome import Rules
from consumer.core.record import Origin
from consumer.core.state import State
from consumer.placement import Placement, check_claim, placement_of
from season.calendar import DAY, Calendar
from season.settings import SettingError
from season.topics import Described, Topic
from tests.consumer.core.laws import columns

ROME = Calendar("Europe/Rome")
TOPICS = Described(
    Topic("readings", 4, "id-1"), Topic("predictions", 4, "x"), Topic("dead", 4, "y"), Topic("windows", 4, "z")
)


def restored(
    belongs: Origin | None, committed: int | None, bounds: tuple[int, int], windows: bool = False
) -> Restored:
    """What a changelog held, with or without an open window, and what the broker says of the readings."""
    state = State(ROME)
    if windows:
        state.read(columns([("IT", 1_622_505_600, 1.0, 0.0)], ROME), 9e9, Rules(DAY, 2, 0.0))
        state.commit()
    return Restored(state, belongs, Changelog(), committed, bounds)


def at(offset: int, topic_id: str = "id-1", time_zone: str = "Europe/Rome", day_start: str = "00:00") -> Origin:
    """Where a state belongs."""
    return Origin(topic_id, offset, time_zone, day_start)


@pytest.mark.parametrize(
    ("belongs", "committed", "bounds", "offset", "lost"),
    [
        (None, None, (0, 10), 0, 0),
        (None, None, (7, 10), 7, 0),
        (at(5), 5, (0, 10), 5, 0),
        (at(5), None, (0, 10), 5, 0),
        (at(5), 3, (0, 10), 5, 0),
        (at(5), 8, (0, 10), 8, 3),
        (at(5), 1000, (0, 10), 10, 5),
        (at(5), 5, (9, 10), 9, 4),
        (at(5), 6, (9, 10), 9, 4),
        (at(10), 10, (10, 10), 10, 0),
    ],
)
def test_where_a_partition_goes_on(
    belongs: Origin | None, committed: int | None, bounds: tuple[int, int], offset: int, lost: int
) -> None:
    """At the state's offset, or where group or topic is ahead, there; what lies between is counted as lost."""
    placement = placement_of(0, restored(belongs, committed, bounds), TOPICS, ROME)
    assert (placement.offset, placement.lost) == (offset, lost)
    assert bool(placement.why) == bool(lost)


@pytest.mark.parametrize(
    ("belongs", "committed", "bounds", "says"),
    [
        (None, 3, (0, 10), "holds nothing"),
        (at(5, topic_id="id-0"), 5, (0, 10), "made anew"),
        (at(50), 50, (0, 10), "lost messages"),
        (at(5, time_zone="UTC"), 5, (0, 10), "WINDOW_TIME_ZONE"),
        (at(5, day_start="06:00"), 5, (0, 10), "WINDOW_DAY_START"),
    ],
)
def test_what_does_not_belong_together_stops(
    belongs: Origin | None, committed: int | None, bounds: tuple[int, int], says: str
) -> None:
    """A changelog of another topic, calendar or group is told with what to do, never gone on from."""
    with pytest.raises(SettingError, match=says) as raised:
        placement_of(2, restored(belongs, committed, bounds, windows=True), TOPICS, ROME)
    assert "new CONSUMER_GROUP" in str(raised.value)


def test_another_calendar_is_taken_while_no_window_is_open() -> None:
    """Time zone and day start may change once nothing is open any more."""
    placement = placement_of(0, restored(at(5, time_zone="UTC"), 5, (0, 10)), TOPICS, ROME)
    assert placement == Placement(5)


OURS = Claim("group", "readings", "id-1")


def test_our_own_claim_holds() -> None:
    """Every instance of a deployment makes the same claim."""
    check_claim(Claim("group", "readings", "id-1"), OURS, "windows")


@pytest.mark.parametrize(
    ("holder", "says"),
    [
        (Claim("group", "others", "id-2"), "READINGS_TOPIC='others'.* must not share a changelog"),
        (Claim("others", "readings", "id-1"), "CONSUMER_GROUP='others'.* must not share a changelog"),
        (Claim("group", "readings", "id-0"), "READINGS_TOPIC='readings' was made anew .*new CONSUMER_GROUP"),
    ],
)
def test_another_claim_stops(holder: Claim, says: str) -> None:
    """The sentence names the other deployment, or says that the topic is another one now."""
    with pytest.raises(SettingError, match=says):
        check_claim(holder, OURS, "windows")
