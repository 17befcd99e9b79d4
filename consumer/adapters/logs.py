"""Sets up the log: one line an event on standard error, as text for a person or as JSON for a machine.

Our code logs with `structlog.get_logger()`. Lines of Python's own logging (of Kafka's client, which gets
`client_logger()`) come out in the same form.
"""

import logging
import math
import sys
import time

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from season.client.errors import ClientError, Code

_COMPLAINT_INTERVAL_S = 5.0  # between two lines about a wait
_REPEAT_INTERVAL_S = 30.0  # before the client may log the same line again
_NO_NEWS = (
    "CONFWARN",  # KAFKA_* goes to consumers and producers alike, and each warns of properties of the other
    "Coordinator load in progress: retrying",  # the answer of a broker that has just started
    "Failed to acquire transactional PID",  # logged with the remedy if it lasts
    "Current transaction failed",  # logged as an aborted transaction
    ClientError(Code.UNRELEASED_INSTANCE_ID).sentence,  # logged with the setting's name; the program goes on
)


def configure(level: str, form: str) -> None:
    """Set up the log of this process: LOG_LEVEL ("INFO") and LOG_FORMAT ("text" or "json")."""
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(_json() if form == "json" else _text()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(number)


def client_logger() -> logging.Logger:
    """Return the logger that Kafka's client gets as its property `logger`: without one it writes its own lines."""
    logger = logging.getLogger("kafka-client")
    logger.setLevel(logging.DEBUG)
    if not logger.filters:
        logger.addFilter(_News())
    return logger


class _News:
    """Filters the client's lines: while a broker is away it logs the same 20 times a second."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.DEBUG:  # only with KAFKA_DEBUG, which asks for all of them
            record.levelno = max(logging.INFO, logging.getLogger().level)
            return True
        line = record.getMessage()
        if any(text in line for text in _NO_NEWS):
            return False
        what, now = line.split(" (after ")[0], time.monotonic()
        if now - self._said.get(what, -math.inf) < _REPEAT_INTERVAL_S:
            return False
        self._said = {other: at for other, at in self._said.items() if now - at < _REPEAT_INTERVAL_S} | {what: now}
        return True


class Complaints:
    """Logs why a request to the broker fails, but not each time."""

    def __init__(self) -> None:
        self._reported_at = -math.inf

    def __call__(self, error: ClientError, **context: str) -> None:
        """Log an error, at most one each 5 s."""
        now = time.monotonic()
        if now - self._reported_at >= _COMPLAINT_INTERVAL_S:
            self._reported_at = now
            structlog.get_logger().warning("waiting for the broker", error=error.sentence, code=error.name, **context)


def _json() -> list[Processor]:
    return [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(default=str)]


def _text() -> list[Processor]:
    return [
        _printable,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        ),
    ]


def _printable(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape texts from messages (a zone's name), which may hold line ends or a terminal's control characters."""
    return {
        name: value.encode("unicode_escape").decode() if isinstance(value, str) and not value.isprintable() else value
        for name, value in event.items()
    }


class _Forward(logging.Handler):
    """Passes the records of Python's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info or None
        )
