"""The demo's count: windows, agreement with the calendar, months."""

from demo.tally import MonthTally
from season.messages import Prediction


def prediction(start: str, end: str, label: str, revision: int = 0) -> Prediction:
    """A prediction of a summer day with this label."""
    return Prediction("IT", start, end, label, 0.1, -2.2, "summer", 0, revision, "m", "v", [1.0] * 24)


def test_windows_are_counted_by_the_month_of_their_local_date() -> None:
    """The first day of June in Rome begins in May's last hours in UTC."""
    tally = MonthTally()
    tally.count(prediction("2021-05-31T22:00:00Z", "2021-06-01T22:00:00Z", "summer"))
    tally.count(prediction("2021-06-01T22:00:00Z", "2021-06-02T22:00:00Z", "winter"))
    tally.count(prediction("2021-06-30T22:00:00Z", "2021-07-01T22:00:00Z", "summer"))
    assert tally.share() == "2 of 3 days (66.7 %)"
    assert tally.by_month() == ["Jun  50  Jul 100"]


def test_of_a_windows_revisions_the_last_stands() -> None:
    """A window that was scored again is one window."""
    tally = MonthTally()
    tally.count(prediction("2021-05-31T22:00:00Z", "2021-06-01T22:00:00Z", "winter"))
    tally.count(prediction("2021-05-31T22:00:00Z", "2021-06-01T22:00:00Z", "summer", revision=1))
    assert tally.share() == "1 of 1 days (100.0 %)"


def test_nothing_is_no_division_by_zero() -> None:
    """A summary of no windows can be told."""
    assert MonthTally().share() == "0 of 0 days (0.0 %)"
    assert MonthTally().by_month() == []
