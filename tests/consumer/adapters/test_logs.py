"""The log is one line an event, in both forms, also for what comes from Kafka's client."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from consumer.adapters import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Puts structlog and Python's logging back as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    logs.client_logger().filters.clear()  # it remembers what was said


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What was written to standard error, by line; nothing goes to standard output."""
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Level, time in UTC and all fields are there, whatever they hold."""
    logs.configure("INFO", "json")
    structlog.get_logger().warning("lost", zone="\ud800\n", partition=3, what={1})
    (line,) = lines(capsys)
    event = json.loads(line)
    assert (event["event"], event["level"], event["zone"], event["partition"]) == ("lost", "warning", "\ud800\n", 3)
    assert event["timestamp"].endswith("Z")


def test_text_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A zone's name can neither begin a line of its own nor speak to the terminal."""
    logs.configure("INFO", "text")
    structlog.get_logger().info("started", zone="IT\n2026 [error] gone\x1b[2J", model="italy-load")
    (line,) = lines(capsys)
    assert line.isprintable()
    assert "started" in line
    assert "model=italy-load" in line


@pytest.mark.parametrize("zone", ["\x1b[2J", "\x9b2J", "\u202e", "a\nb", "a\u2028b"])
def test_text_is_printable(capsys: pytest.CaptureFixture[str], zone: str) -> None:
    """No character of a message's reaches the terminal as anything but itself, in a field or in the event."""
    logs.configure("INFO", "text")
    structlog.get_logger().info(zone, zone=zone)
    (line,) = lines(capsys)
    assert line.isprintable()


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_below_the_level_is_silent(capsys: pytest.CaptureFixture[str], form: str) -> None:
    """LOG_LEVEL holds for both kinds of loggers, also for those that were made before it was known."""
    log = structlog.get_logger()
    logs.configure("WARNING", form)
    log.info("not this")
    logs.client_logger().info("nor this")
    log.error("but this")
    logs.client_logger().warning("and %s", "this")
    assert len(lines(capsys)) == 2


def test_kafkas_client_logs_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    """Its lines become events, with the name of their logger."""
    logs.configure("INFO", "json")
    logs.client_logger().error("FAIL [%s]", "broker down")
    event = json.loads(lines(capsys)[0])
    assert (event["event"], event["level"], event["logger"]) == ("FAIL [broker down]", "error", "kafka-client")


def test_what_is_no_news_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """What the client asks again by itself, so that each start would warn of it, and what we say ourselves."""
    logs.configure("INFO", "json")
    logs.client_logger().warning("GETPID [thrd:main]: %s", "Broker: Coordinator load in progress: retrying")
    logs.client_logger().error("TXNERR [thrd:main]: %s", "Current transaction failed in state BeginCommit: …")
    logs.client_logger().warning("GETPID [thrd:main]: %s", "Failed to acquire transactional PID from broker …")
    assert lines(capsys) == []


def test_what_the_client_repeats_is_logged_once(capsys: pytest.CaptureFixture[str]) -> None:
    """It tries a broker that is away 20 times a second and says so each time; what differs is said."""
    logs.configure("INFO", "json")
    for place in ("broker:9092", "other:9092"):
        for milliseconds in range(100):
            logs.client_logger().error(
                "FAIL %s: Connection refused (after %sms in state CONNECT)", place, milliseconds
            )
    assert len(lines(capsys)) == 2


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_is_written_with_its_event(capsys: pytest.CaptureFixture[str], form: str) -> None:
    """Its type and text can be found."""
    logs.configure("INFO", form)
    try:
        raise KeyError("who")
    except KeyError:
        structlog.get_logger().exception("broken")
    assert "KeyError" in "\n".join(lines(capsys))
