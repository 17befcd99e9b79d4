"""The service's settings: defaults, and one sentence for what is wrong."""

import pytest

from consumer.settings import Settings
from season.settings import SettingError, load


def test_defaults() -> None:
    """Without any setting: a day of grace, two hours filled, an hour of future."""
    settings = load(Settings, {})
    assert (settings.rules.grace, settings.rules.max_filled, settings.rules.max_future) == (86400, 2, 3600.0)
    assert (settings.idle_timeout, settings.commit_interval, settings.http_port) == (172800.0, 0.1, 8000)


def test_the_future_is_no_longer_than_the_grace_period() -> None:
    """By default MAX_FUTURE shrinks with GRACE_PERIOD; a setting that is longer is refused."""
    assert load(Settings, {"GRACE_PERIOD": "10m"}).rules.max_future == 600.0
    assert load(Settings, {"GRACE_PERIOD": "0"}).rules.max_future == 0.0
    with pytest.raises(SettingError, match=r"COMMIT_INTERVAL='0\.1m': at most 5s is allowed"):
        load(Settings, {"COMMIT_INTERVAL": "0.1m"})
    with pytest.raises(SettingError, match="MAX_FUTURE='2h' is longer than GRACE_PERIOD='1h'"):
        load(Settings, {"GRACE_PERIOD": "1h", "MAX_FUTURE": "2h"})


def test_a_grace_period_counts_in_whole_seconds() -> None:
    """Timestamps are whole seconds, so half a second of grace is over when a second is."""
    assert load(Settings, {"GRACE_PERIOD": "500ms"}).rules.grace == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COMMIT_INTERVAL", "6s"),
        ("COMMIT_INTERVAL", "100"),
        ("MAX_FILLED_HOURS", "13"),
        ("MAX_FILLED_HOURS", "two"),
        ("MAX_FILLED_HOURS", "1_0"),
        ("MAX_FILLED_HOURS", "2.0"),
        ("HTTP_PORT", " 80"),
        ("GRACE_PERIOD", "-1s"),
        ("IDLE_TIMEOUT", "soon"),
        ("HTTP_PORT", "65536"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_allowed(name: str, value: str) -> None:
    """The sentence names the setting, and its value or what is allowed."""
    with pytest.raises(SettingError, match=name) as raised:
        load(Settings, {name: value})
    assert "allowed" in str(raised.value)
