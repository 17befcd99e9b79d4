"""What is nearly a setting of ours is warned of, and what merely looks like one is not."""

import pytest

from consumer.settings import Settings
from season.catalogue import KAFKA, settings_of
from season.spelling import misspelt, nearest

SETTINGS = [*KAFKA, *settings_of(Settings)]
NAMES = [setting.name for setting in SETTINGS]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("GRACEPERIOD", "GRACE_PERIOD"),
        ("grace_period", "GRACE_PERIOD"),
        ("GRACE-PERIOD", "GRACE_PERIOD"),
        ("GRACE_PEROID", "GRACE_PERIOD"),
        ("MAX_FILED_HOURS", "MAX_FILLED_HOURS"),
        ("MAXFILLEDHOUR", "MAX_FILLED_HOURS"),
        ("IDLE_TIMOUT", "IDLE_TIMEOUT"),
        ("PREDICTION_TOPIC", "PREDICTIONS_TOPIC"),
        ("PREDICTON_TOPIC", "PREDICTIONS_TOPIC"),
        ("DEADLETTER_TOPIC", "DEAD_LETTER_TOPIC"),
        ("CONSUMER_GROUPS", "CONSUMER_GROUP"),
        ("WINDOW_TIMEZONE", "WINDOW_TIME_ZONE"),
        ("MODEL_PTAH", "MODEL_PATH"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("HTTPPORT", "HTTP_PORT"),
    ],
)
def test_a_slip_is_warned_of_with_the_name_that_is_meant(typed: str, meant: str) -> None:
    """Underscores and case, and one slip, or two in a long name."""
    assert misspelt({typed: "1"}, SETTINGS) == [f"{typed} is no setting and does nothing; {meant} may be meant"]


@pytest.mark.parametrize(
    "name",
    [
        "TZ", "HOST", "PORT", "HOME", "HOSTNAME", "PATH", "HTTP_PROXY", "HTTPS_PROXY", "HTTPS_PORT", "HTTP_PORTS",
        "HTTPS_HOST", "http_proxy", "LOG_LEVELS", "LOG_FILE", "LOG_FORMATTER", "MODULEPATH", "MODEL_NAME",

        "NODE_PATH", "MODEL_HASH", "INSTANCE_TYPE", "TIME_ZONE", "TIMEOUT", "READINGS", "TOPIC", "GRACE", "PERIOD",
        "COMMIT_SHA", "CONSUMER_PORT", "MAX_HOURS", "KAFKA_OPTS", "KAFKA_HOME", "PYTHONPATH",
        "SEASON_CONSUMER_SERVICE_HOST",
    ],
)  # fmt: skip
def test_what_somebody_else_set_is_not_warned_of(name: str) -> None:
    """Common names, and those of other programs, though they share words or most letters with ours."""
    assert misspelt({name: "1"}, SETTINGS) == []


def test_our_own_settings_are_no_slips_of_each_other() -> None:
    """A program that has some of the settings does not warn of another program's; nor of an empty variable."""
    for name in (*NAMES, "DASHBOARD_HOST", "DASHBOARD_PORT"):
        assert nearest(name, [other for other in NAMES if other != name]) is None, name
    assert misspelt(dict.fromkeys(NAMES, "1") | {"GRACEPERIOD": ""}, SETTINGS) == []
