"""Replay keeps to the readings' own clock, one for all zones and files."""

import pytest

from producer.pace import Pace, by_time, speed
from season.files import BadRow, FileReading
from season.settings import SettingError

HOUR = 3600


def test_a_reading_is_due_by_its_own_time() -> None:
    """At 24 hours a second the reading of the next day is due a second after the first."""
    pace = Pace(24)
    assert pace.wait(0, now=100.0) == 0
    assert pace.wait(24 * HOUR, now=100.0) == 1.0
    assert pace.wait(24 * HOUR, now=100.75) == 0.25
    assert pace.wait(24 * HOUR, now=103.0) == 0


def test_zones_follow_one_clock() -> None:
    """An earlier reading, of another zone say, is due at once and moves nothing."""
    pace = Pace(1)
    pace.wait(10 * HOUR, now=0.0)
    assert pace.wait(2 * HOUR, now=0.0) == 0
    assert pace.wait(11 * HOUR, now=0.0) == 1.0


def test_files_are_played_together_in_order_of_time() -> None:
    """Two zones in two files come as the zones would send them; a bad row is told as soon as it is seen."""
    first: list[FileReading | BadRow] = [FileReading("A", hour * HOUR, 1.0) for hour in range(3)]
    second: list[FileReading | BadRow] = [
        BadRow("b", 2, "bad"),
        *(FileReading("B", hour * HOUR, 1.0) for hour in range(3)),
    ]
    merged = list(by_time([iter(first), iter(second)]))
    assert merged[0] == second[0]
    assert [(item.zone, item.instant // HOUR) for item in merged[1:] if isinstance(item, FileReading)] == [
        ("A", 0), ("B", 0), ("A", 1), ("B", 1), ("A", 2), ("B", 2),
    ]  # fmt: skip


def test_max_is_no_pace() -> None:
    """The default waits for nothing."""
    assert speed("max") is None
    assert isinstance(speed("0.5"), Pace)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "fast", "", "24h"])
def test_a_wrong_speed_is_a_sentence(text: str) -> None:
    """It names the option, its value and what is allowed."""
    with pytest.raises(SettingError, match=r"--speed .* is allowed"):
        speed(text)
