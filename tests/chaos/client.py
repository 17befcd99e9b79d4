"""Calls of a client that do not hang."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from confluent_kafka import KafkaException

_CALL = 5.0  # seconds that one call may take


class HangsError(Exception):
    """A call does not come back: after a crash of the broker some do not for minutes."""


def within(call: Callable[[float], object]) -> None:
    """Makes a call that takes a timeout. KafkaException, HangsError."""
    answers: SimpleQueue[KafkaException | None] = SimpleQueue()

    def answer() -> None:
        try:
            call(_CALL)
        except KafkaException as exception:
            answers.put(exception)
        else:
            answers.put(None)

    threading.Thread(target=answer, daemon=True).start()
    try:
        error = answers.get(timeout=2 * _CALL)
    except Empty:
        raise HangsError from None
    if error is not None:
        raise error
