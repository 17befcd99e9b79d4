"""Puts the fake in the place of Kafka's client, for the service's adapters in this process."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from consumer import assignment, monitor, service
from consumer.adapters import asked, restore, source, transaction
from season.client import consumer, producer
from tests.fake_kafka.broker import Clock
from tests.fake_kafka.consumer import FakeConsumer
from tests.fake_kafka.process import HungError
from tests.fake_kafka.producer import FakeProducer


class LazyCall:
    """As `transaction._Call`, made on the caller's thread when it is waited for: its moment is always the same."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call: Callable[[], object] | None = call
        self._error: BaseException | None = None
        self._hangs = False

    @property
    def ended(self) -> bool:
        """Whether it has returned or raised."""
        return self.wait()

    def wait(self, timeout: float | None = None) -> bool:
        """Make the call; return whether it has come back."""
        call, self._call = self._call, None
        if call is not None:
            try:
                call()
            except HungError:
                self._hangs = True
            except BaseException as error:
                self._error = error
        return not self._hangs

    def result(self) -> None:
        """Make the call, and raise what it raised."""
        assert self.wait(), "a call that hangs is waited for without an end"
        if self._error is not None:
            raise self._error


class LazyCaller:
    """As `transaction._Caller`, without a thread."""

    def make(self, call: Callable[[], object]) -> LazyCall:
        """Return a call that is still to be made."""
        return LazyCall(call)


class CallersExecutor:
    """As a pool of threads, on the caller's."""

    def __init__(self, *_: object) -> None:
        """As a pool's."""

    def submit(self, call: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Make the call."""
        future: Future[Any] = Future()
        try:
            future.set_result(call(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, cancel_futures: bool) -> None:
        """End: nothing is under way."""


def install(patch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Let the adapters make the fake's clients, and the loop live by this clock, as long as the patch lasts."""
    patch.setattr(consumer, "Consumer", FakeConsumer)
    patch.setattr(producer, "Producer", FakeProducer)
    for module in (source, restore, asked, transaction):
        patch.setattr(module, "merged_properties", lambda _make, environ, ours: {**ours, **environ["CLIENT"]})
    for module in (source, assignment, monitor, service, asked, transaction):
        patch.setattr(module, "time", clock)
    patch.setattr(transaction, "_Caller", LazyCaller)
    patch.setattr(asked, "ThreadPoolExecutor", CallersExecutor)
