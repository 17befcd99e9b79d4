"""Asks the broker again while its coordinator is new, or has moved, and loads its state."""

import time
from collections.abc import Callable
from typing import TypeVar

from season.client.errors import ClientError, Code

_PATIENCE_S = 10.0
_PAUSE_S = 0.2
_PASSING = {
    Code.COORDINATOR_LOAD_IN_PROGRESS,
    Code.COORDINATOR_NOT_AVAILABLE,
    Code.NOT_COORDINATOR,
}

T = TypeVar("T")


def patiently(ask: Callable[[], T]) -> T:
    """Return the answer, after `_PATIENCE_S` at most. Raises ClientError where there is none."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return ask()
        except ClientError as error:
            if error.code not in _PASSING or time.monotonic() >= deadline:
                raise
        time.sleep(_PAUSE_S)


def words(error: ClientError) -> str:
    """Return what an error means and its name; the client's own sentence may name only a request."""
    return f"{error.meaning} ({error.name})"
