"""The log: one line an event on standard error, as text for a person or as JSON for a machine.

Whoever logs uses `structlog.get_logger()`; what uses Python's own logging (Kafka's client, where it is given
`client_logger()`) comes out the same way.
"""

import logging
import math
import sys
import time

import structlog
from confluent_kafka import KafkaError
from structlog.typing import EventDict, Processor, WrappedLogger

_COMPLAINT_INTERVAL_S = 5.0  # seconds between two lines about a wait
_REPEAT_INTERVAL_S = 30.0  # seconds until the client may say the same again
_NO_NEWS = (
    "CONFWARN",  # KAFKA_* holds for consumers and producers alike, and each is told of what is meant for the other
    "Coordinator load in progress: retrying",  # so a broker answers for a moment after its start
    "Failed to acquire transactional PID",  # said with what to do where it lasts
    "Current transaction failed",  # said as an aborted transaction
    KafkaError(KafkaError.UNRELEASED_INSTANCE_ID).str(),  # told with the setting's name, and borne
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
    """What of the client's lines is one: while a broker is away it says the same 20 times a second."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.DEBUG:  # there are none without KAFKA_DEBUG, which asks for each of them
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
    """Says what keeps the broker from doing what it is asked, but not each time."""

    def __init__(self) -> None:
        self._reported_at = -math.inf

    def __call__(self, error: KafkaError, **context: str) -> None:
        """Log an error, at most one each 5 s."""
        now = time.monotonic()
        if now - self._reported_at >= _COMPLAINT_INTERVAL_S:
            self._reported_at = now
            structlog.get_logger().warning("waiting for the broker", error=error.str(), code=error.name(), **context)


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
    """Hands the records of Python's logging to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info or None
        )
