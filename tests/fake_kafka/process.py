"""A process that uses the fake: it runs as far as a test lets it, and at any of its calls something may happen.

A process is a thread that waits at each call to Kafka until it may go on. So one process runs at a time, and what
happens between any two calls is the test's to say.
"""

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

from tests.fake_kafka.broker import FakeKafka

BEFORE, AFTER = "before", "after"
_STUCK_S = 60.0  # in which a process must have come to its next call: a loop without one would hang the test


class KilledError(BaseException):
    """The process has been killed: no call of it comes back."""


class HungError(BaseException):
    """The call does not come back."""


@dataclass
class Incident:
    """Something that happens once, at the `passing`-th call of a name (of any, where it is empty)."""

    act: Callable[[], None]
    call: str = ""
    passing: int = 1
    when: str = BEFORE


class FakeProcess:
    """A program with clients of this broker. `events` happen at its calls, each on the thread of the process."""

    def __init__(self, broker: FakeKafka, run: Callable[[], None] = lambda: None) -> None:
        self.broker = broker
        self.calls = 0
        self.fetch = 1000
        """How many messages come with a fetch; the next one is sent off by a call that waits."""
        self.lazy = False
        """Whether its producers send what they write with the commit, and nothing before."""
        self.killed = False
        self.events: list[Incident] = []
        self.error: BaseException | None = None  # what ended it, None while it runs or where it ended well
        self._work = run
        self._budget = 0
        self._ended = False
        self._turn, self._caller = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether it has not come to its end."""
        return not self._ended

    def go(self, calls: int = 1) -> bool:
        """Let it make so many calls, fewer where it is parked or ends; return whether it still runs."""
        if not self.running:
            return False
        self._budget = calls
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        else:
            self._turn.release()
        assert self._caller.acquire(timeout=_STUCK_S), "the process makes no call any more"
        if self._ended:
            self._thread.join()
        return self.running

    def kill(self) -> None:
        """Let no call of it come back any more."""
        self.killed = True
        if self._thread is not None and self.running:
            self.go()

    def die(self) -> None:
        """End the process in this call: an event's `act`."""
        self.killed = True
        raise KilledError

    def park(self) -> None:
        """Stand still in this call until the next `go`: an event's `act`."""
        if threading.current_thread() is self._thread:
            self._budget = 0
            self._hand_over()

    def passes(self, name: str, when: str) -> None:
        """Wait for leave to make a call, and let happen what is to happen there."""
        if when == BEFORE and not self.killed:
            self.calls += 1
            self._budget -= 1
            if self._budget < 0 and threading.current_thread() is self._thread:
                self._hand_over()
        if self.killed:
            raise KilledError
        for event in list(self.events):
            if event.when != when or event.call not in ("", name):
                continue
            event.passing -= 1
            if event.passing == 0:
                self.events.remove(event)
                event.act()

    def _hand_over(self) -> None:
        self._caller.release()
        self._turn.acquire()
        self._budget -= 1

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # a killed process has its own, and the test asks for any other
            self.error = error
        finally:
            self._ended = True
            self._caller.release()


class Client(Protocol):
    """Something whose calls are those of a process."""

    process: FakeProcess


P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=Client)


def call(method: Callable[Concatenate[C, P], R]) -> Callable[Concatenate[C, P], R]:
    """Make a method a call to Kafka: time passes for the broker, and its process passes a point before and after."""

    @functools.wraps(method)
    def called(self: C, *arguments: P.args, **named: P.kwargs) -> R:
        self.process.passes(method.__name__, BEFORE)
        self.process.broker.pass_time()
        answer = method(self, *arguments, **named)
        self.process.passes(method.__name__, AFTER)
        return answer

    return cast(Callable[Concatenate[C, P], R], called)
