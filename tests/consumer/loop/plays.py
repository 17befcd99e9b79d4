"""What happens to members, step by step; each play ends with all readings read, and a verdict on what came out.

A step is a method's name and its arguments, so that a play is data: listed by a test, drawn by Hypothesis, or made
from a seed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

import pytest
import structlog
from confluent_kafka import KafkaError, KafkaException

from tests.chaos.verdict import Verdict
from tests.consumer.loop.made import altered, readings
from tests.consumer.loop.world import NAMES, LoopWorld
from tests.fake_kafka.installed import install
from tests.fake_kafka.process import BEFORE, HungError, Incident
from tests.fake_kafka.producer import FakeProducer

Step = tuple[Any, ...]

KILL, PARK, HANG, REPEAT, ABORT, FATAL = "kill", "park", "hang", "repeat", "abort", "fatal"
_ERRORS = {
    REPEAT: KafkaError(KafkaError._TIMED_OUT, "no answer", retriable=True),
    ABORT: KafkaError(KafkaError.ILLEGAL_GENERATION, "aborted", txn_requires_abort=True),
    FATAL: KafkaError(KafkaError.INVALID_TXN_STATE, "fatal", fatal=True),
}


class Play:
    """A world, and the steps that can be done to it. A step that fits nothing (a dead member's) does nothing."""

    def __init__(self, world: LoopWorld, seed: int = 0) -> None:
        self.world = world
        self._readings = iter(readings(seed))
        self._open: FakeProducer | None = None

    def run(self, steps: Sequence[Step]) -> None:
        """Do the steps."""
        for name, *arguments in steps:
            getattr(self, name)(*arguments)

    def finish(self) -> Verdict:
        """Publish what is left, let somebody read it, and judge."""
        self.end(committed=True)
        self.publish(10_000)
        for name in list(self.world.members):
            if not self._alive(name):
                self.world.evict(self.world.members.pop(name))
        if not self.world.members:
            self.start("one")
        return self.world.finish(self.start)

    def publish(self, count: int) -> None:
        """Publish the next readings, in the publisher's transaction where one is open."""
        for message in islice(self._readings, count):
            if self._open is None:
                self.world.publish([message])
            else:
                self._open.produce(NAMES["READINGS_TOPIC"], **message)

    def publish_undone(self, count: int) -> None:
        """Publish in a transaction that is aborted, before the same readings come as they are."""
        producer, coming = self.world.publisher("undone"), list(self._readings)
        producer.begin_transaction()
        for message in coming[:count]:
            producer.produce(NAMES["READINGS_TOPIC"], **altered(message))
        producer.abort_transaction()
        self._readings = iter(coming)

    def begin(self) -> None:
        """Let the publisher begin a transaction."""
        if self._open is None:
            self._open = self.world.publisher()

    def end(self, committed: bool) -> None:
        """Let the publisher end its transaction, if one is open; the broker may have done so after its timeout."""
        producer, self._open = self._open, None
        if producer is not None:
            with suppress(KafkaException):
                producer.commit_transaction() if committed else producer.abort_transaction()

    def start(self, name: str, fetch: int = 1000) -> None:
        """Start a member, or one that has died again; the group does not wait for the one that died."""
        if not self._alive(name):
            before = self.world.members.get(name)
            self.world.start(name, fetch=fetch)
            if before is not None:
                self.world.evict(before)

    def stop(self, name: str) -> None:
        """SIGTERM."""
        if self._alive(name):
            self.world.members[name].stop()
            self.world.check(name)
            if not self.world.members[name].process.killed:
                del self.world.members[name]

    def kill(self, name: str) -> None:
        """Kill -9."""
        if self._alive(name):
            self.world.members[name].process.kill()

    def arm(self, name: str, action: str, call: str = "", passing: int = 1, when: str = BEFORE) -> None:
        """Let something happen at a call of a member's, counted from now on; a call of any name where it is empty."""
        if self._alive(name):
            process = self.world.members[name].process
            acts = {KILL: process.die, PARK: process.park, HANG: _hang}
            act = acts.get(action) or (lambda: _raise(action))
            process.events.append(Incident(act, call, passing, when))

    def delay_sending(self, name: str) -> None:
        """Let what a member writes come to the broker with the commit, and not before."""
        if self._alive(name):
            self.world.members[name].process.lazy = True

    def go(self, name: str, calls: int = 40) -> None:
        """Let a member make some calls."""
        if self._alive(name):
            self.world.go(name, calls=calls)

    def go_until_dead(self, name: str) -> None:
        """Let a member go on until what was armed has killed it, or all is read and it has not come to that call."""
        while self._alive(name) and not self.world.settled():
            self.world.go(name)

    def evict(self, name: str) -> None:
        """Let the group go on without a member, dead or not: it is not told."""
        if name in self.world.members:
            self.world.evict(self.world.members[name])

    def rejoin(self, name: str) -> None:
        """The same, and let it in again, of which the loop is told with the next poll."""
        if self._alive(name) and self.world.members[name].source is not None:
            self.world.members[name].client.rejoin()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.world.broker.clock.sleep(seconds)

    def settle(self, *names: str) -> None:
        """Let these members, or all, go on until all is read and committed."""
        self.world.settle(*names)

    def _alive(self, name: str) -> bool:
        member = self.world.members.get(name)
        return member is not None and member.process.running and not member.process.killed


@contextmanager
def play(seed: int = 0, marker_delay_s: float = 0.0) -> Iterator[Play]:
    """A play on a world of its own, whose members end with it."""
    world = LoopWorld(marker_delay_s)
    before = structlog.get_config()
    with pytest.MonkeyPatch.context() as patch:
        install(patch, world.broker.clock)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        try:
            yield Play(world, seed)
        finally:
            world.close()
            structlog.configure(**before)


def verdict(*steps: Step, seed: int = 0, marker_delay_s: float = 0.0) -> Verdict:
    """Do the steps, let all be read, and judge."""
    with play(seed, marker_delay_s) as playing:
        playing.run(steps)
        return playing.finish()


def _hang() -> None:
    raise HungError


def _raise(name: str) -> None:
    raise KafkaException(_ERRORS[name])
