"""Asks the broker again while its coordinator is new, or has moved, and loads its state."""

import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

_PATIENCE_S = 10.0
_PAUSE_S = 0.2
_PASSING = {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}

T = TypeVar("T")


def patiently(ask: Callable[[], T]) -> T:
    """Return the answer, after `_PATIENCE_S` at most. Raises KafkaException where there is none."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return ask()
        except KafkaException as exception:
            if exception.args[0].code() not in _PASSING or time.monotonic() >= deadline:
                raise
        time.sleep(_PAUSE_S)


def words(exception: KafkaException) -> str:
    """Return what an error means and its name; the client's own sentence may name only a request."""
    error: KafkaError = exception.args[0]
    return f"{KafkaError(error.code()).str()} ({error.name()})"
