"""The line that the service logs at its start."""

import structlog
from structlog.testing import capture_logs

from consumer.adapters.model import load as load_model
from consumer.announcement import announce
from consumer.settings import Settings
from season.settings import load
from season.topics import Topics
from tests.integration.world import MODEL


def logged(environ: dict[str, str]) -> list[structlog.typing.EventDict]:
    """What a start with this environment logs."""
    with capture_logs() as lines:
        announce(environ, load(Settings, environ), Topics.from_environment(environ), load_model(str(MODEL)))
    return list(lines)


def test_one_line_says_what_it_runs_with() -> None:
    """Group, topics, model, the windows' time zone and grace; nothing more where nothing was changed."""
    (line,) = logged({"GRACE_PERIOD": "24h", "KAFKA_BOOTSTRAP_SERVERS": "localhost:9092", "HOME": "/"})
    assert line == {
        "event": "starting",
        "log_level": "info",
        "group": "season-consumer",
        "topics": "readings, predictions, readings.dead-letter, season-consumer.windows",
        "model": "italy-load",
        "version": load_model(str(MODEL)).version,
        "time_zone": "Europe/Rome",
        "day_start": "00:00",
        "grace": "24h",
    }


def test_what_is_not_the_default_is_in_the_line_as_it_was_typed() -> None:
    """Of the Kafka client's settings all that are set; of a secret only that it is set."""
    environ = {
        "GRACE_PERIOD": "48h",
        "MAX_FILLED_HOURS": "2",
        "HTTP_PORT": "0",
        "KAFKA_BOOTSTRAP_SERVERS": "one:9092",
        "KAFKA_SASL_PASSWORD": "hunter2",
        "KAFKA_HOME": "/opt/kafka",
    }
    (line,) = logged(environ)
    assert line["grace"] == "48h"
    assert {name: value for name, value in line.items() if name.isupper()} == {
        "GRACE_PERIOD": "48h",
        "HTTP_PORT": "0",
        "KAFKA_BOOTSTRAP_SERVERS": "one:9092",
        "KAFKA_SASL_PASSWORD": "***",
    }


def test_a_misspelt_setting_is_warned_of() -> None:
    """A warning of its own names what may be meant."""
    _, warning = logged({"GRACEPERIOD": "1h"})
    sentence = "GRACEPERIOD is no setting and does nothing; GRACE_PERIOD may be meant"
    assert warning == {"event": sentence, "log_level": "warning"}
