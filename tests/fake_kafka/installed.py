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


class LazyCall(Future[None]):
    """A call that is made on the caller's thread when it is waited for: its moment is always the same."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__()
        self._call: Callable[[], object] | None = call

    def result(self, timeout: float | None = None) -> None:
        """Make the call, and raise what it raised; TimeoutError where it hangs."""
        self._make(timeout)
        super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Make the call, and return what it raised."""
        self._make(timeout)
        return super().exception(0)

    def _make(self, timeout: float | None) -> None:
        call, self._call = self._call, None
        if call is not None:
            try:
                call()
            except HungError:
                pass
            except BaseException as error:
                self.set_exception(error)
            else:
                self.set_result(None)
        assert self.done() or timeout is not None, "a call that hangs is waited for without an end"


class LazyCaller:
    """As `transaction._Caller`, without a thread."""

    def submit(self, call: Callable[[], object]) -> LazyCall:
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
