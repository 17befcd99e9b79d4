"""The seasons are those of European energy markets."""

from season.labels import LABELS, calendar_label


def test_winter_is_october_to_march() -> None:
    """October to March are winter, April to September summer, and there is no third label."""
    seasons = [calendar_label(month) for month in range(1, 13)]
    assert seasons == ["winter"] * 3 + ["summer"] * 6 + ["winter"] * 3
    assert set(seasons) == set(LABELS)
