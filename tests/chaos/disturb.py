"""What is done to members and broker, by the seed: rounds that hold each fault once, in an order of their own."""

import random
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from kafka_local import Broker
from tests.chaos import faults
from tests.chaos.faults import Armed
from tests.chaos.members import DeadError, Member

BEYOND_SESSION = (6.0, 9.5)  # seconds; a session ends after 4, and another member has committed after 6
BEYOND_TRANSACTION = (11.0, 14.0)  # a transaction ends after 10
BELOW_CALL = (4.5, 5.8)  # beyond the session; after 6 the service gives a call up in which it stood
_PATIENCE = 8.0  # seconds until an armed point that nobody passes is given up, and tried again later

KILLED, TERMINATED = "kill -9 at any time", "SIGTERM and restart"
STOPPED, STOPPED_LONG = "SIGSTOP beyond the session", "SIGSTOP beyond the transaction"
BROKER_KILLED, BROKER_RESTARTED, BROKER_PAUSED = "broker killed", "broker restarted", "broker paused"

# Passed when a member comes or goes: it is made to.
_AT_START = {faults.ASSIGNED, faults.RESTORING, faults.ID_TAKEN}
# Stopped here, a member commits before it hears that its partitions are lost.
_IN_TURN = (faults.BEGUN, faults.PRODUCING)
_IN_COMMIT = (faults.PRODUCED, faults.OFFSETS_SENT)
_IN_ABORT = {faults.ABORTING, faults.ABORTED}


@dataclass(frozen=True)
class Fault:
    """One thing that is done to one member: at a point, or (no point) at any time."""

    kind: str
    point: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.point}".strip()


def one_round(chance: random.Random) -> list[Fault]:
    """Each point once with a kill, some with a stop, and what needs no point, in a random order."""
    found = [Fault(faults.KILL, point) for point in faults.POINTS]
    stops = [faults.COMMITTED, faults.RESTORING, faults.REVOKING, faults.ABORTING]
    found += [Fault(faults.STOP, point) for point in [*_IN_TURN * 2, *_IN_COMMIT, chance.choice(stops)]]
    found += [Fault(faults.HANG, point) for point in (faults.COMMITTED, chance.choice(_IN_COMMIT))]
    found += [Fault(faults.REFUSE, faults.PRODUCED)] * 4
    found += [Fault(KILLED)] * 3 + [Fault(TERMINATED)] * 2 + [Fault(STOPPED)] * 2 + [Fault(STOPPED_LONG)]
    return chance.sample(found, len(found))


@dataclass
class Done:
    """What was done, counted; what went wrong with it."""

    counts: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    rounds: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def points(self) -> set[str]:
        """The points at which members were killed."""
        return {point for point in faults.POINTS if self.counts[f"{faults.KILL} {point}"]}


class Disturbance:
    """A thread for each member, and the broker on the thread that calls `run`: it would end with another's end."""

    def __init__(
        self,
        members: list[Member],
        broker: Broker,
        seed: int,
        broker_every: float,
        at_once: int,
        only: Container[str],
    ) -> None:
        self._broker = broker
        self._seed, self._broker_every = seed, broker_every
        self._chance = random.Random(seed)
        self._at_once = threading.Semaphore(at_once)
        self._only = only
        self._faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        works = [lambda m=member: self._trouble(m) for member in members]
        self._threads = [threading.Thread(target=self._guarded, args=(work,), daemon=True) for work in works]
        self.done = Done()

    def run(self, seconds: float, points: int, say: Callable[[float], None]) -> None:
        """Disturbs for so long, or until something goes wrong; `say` is called each ten seconds, with the time.

        On a slow machine it lasts longer, until members were killed at so many points. When it returns all members
        and the broker run, and nothing is armed.
        """
        for thread in self._threads:
            thread.start()
        try:
            self._trouble_broker(seconds, points, say)
        finally:
            self._stopped.set()
            for thread in self._threads:
                thread.join(120)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except DeadError as error:
            self.done.failures.append(str(error))
        except Exception as error:
            self.done.failures.append(f"{type(error).__name__}: {error}")
            raise

    def _next(self) -> Fault:
        with self._lock:
            if not self._faults:
                whole = one_round(self._chance)
                self._faults.extend([fault for fault in whole if str(fault) in self._only] or whole)
                self.done.rounds += 1
            return self._faults.popleft()

    def _trouble(self, member: Member) -> None:
        chance = random.Random(f"{self._seed} {member.name}")
        while not self._stopped.wait(chance.uniform(0.2, 3.0)):
            if not member.alive():
                raise DeadError(f"{member.name} was killed by nobody; see {member.service.log}")
            with self._at_once:
                if not self._stopped.is_set():
                    self._trouble_once(member, chance)

    def _trouble_once(self, member: Member, chance: random.Random) -> None:
        fault = self._next()
        reached = self._do(member, fault, chance)
        with self._lock:
            if reached:
                self.done.counts[str(fault)] += 1
                self.done.kills += fault.kind == faults.KILL
            else:
                self._faults.append(fault)  # later, then

    def _do(self, member: Member, fault: Fault, chance: random.Random) -> bool:
        """Does it and makes it good again; whether it came to that."""
        if fault.point:
            return self._at_point(member, fault, chance)
        if fault.kind == KILLED:
            self._again(member, chance)
        elif fault.kind == TERMINATED:
            member.stop()
            self._start(member, chance)
        else:
            member.signal(signal.SIGSTOP)
            self._stand(member, chance, BEYOND_SESSION if fault.kind == STOPPED else BEYOND_TRANSACTION)
        return True

    def _at_point(self, member: Member, fault: Fault, chance: random.Random) -> bool:
        before = len(member.fired())
        armed = [Armed(fault.point, fault.kind, _passing(fault.point, chance))]
        if fault.point in _IN_ABORT:
            armed.insert(0, Armed(faults.PRODUCED, faults.REFUSE))
        member.arm(*armed)
        if fault.point in _AT_START:
            self._again(member, chance)
        elif fault.point == faults.REVOKING:
            member.signal(signal.SIGTERM)
        self._wait(lambda: len(member.fired()) == before + len(armed))
        member.arm()
        time.sleep(0.1)  # what was armed may fire for a moment yet
        reached = len(member.fired()) == before + len(armed)
        if fault.kind == faults.STOP and reached:
            short = BELOW_CALL if fault.point in _IN_COMMIT else BEYOND_SESSION
            self._stand(member, chance, chance.choice([short, BEYOND_SESSION, BEYOND_TRANSACTION]))
        elif fault.kind == faults.KILL and reached:
            member.service.process.wait(60)
        if member.left() if fault.point == faults.REVOKING else not member.alive():
            self._start(member, chance)
        return reached

    def _again(self, member: Member, chance: random.Random) -> None:
        """Kills a member and starts it again."""
        member.kill()
        with self._lock:
            self.done.kills += 1
        self._start(member, chance)

    def _start(self, member: Member, chance: random.Random) -> None:
        """Starts a member that has ended, at once or after a while."""
        self._stopped.wait(chance.choice([0.0, chance.uniform(0, 4)]))
        member.start()

    def _stand(self, member: Member, chance: random.Random, seconds: tuple[float, float]) -> None:
        """Leaves a stopped member stand, and lets it go on; whatever happens, it does not stay stopped."""
        self._stopped.wait(chance.uniform(*seconds))
        member.signal(signal.SIGCONT)

    def _wait(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE
        while not true() and time.monotonic() < end and not self._stopped.is_set():
            time.sleep(0.02)

    def _trouble_broker(self, seconds: float, points: int, say: Callable[[float], None]) -> None:
        chance = random.Random(f"{self._seed} broker")
        began = told = time.monotonic()
        due = chance.uniform(0.4, 0.8) * self._broker_every
        kinds: deque[str] = deque()
        while not self.done.failures:
            passed = time.monotonic() - began
            if passed > (seconds if len(self.done.points) >= points else 5 * seconds):
                return
            if passed > due:
                kinds = kinds or deque(chance.sample([BROKER_KILLED, BROKER_RESTARTED, BROKER_PAUSED], 3))
                self._disturb_broker(kinds.popleft(), chance)
                due = time.monotonic() - began + chance.uniform(0.6, 1.2) * self._broker_every
            if time.monotonic() - told > 10:
                told = time.monotonic()
                say(told - began)
            time.sleep(0.1)

    def _disturb_broker(self, kind: str, chance: random.Random) -> None:
        if kind == BROKER_RESTARTED:
            self._broker.restart()
        elif kind == BROKER_KILLED:
            self._broker.kill()
            time.sleep(chance.uniform(0, 4))
            self._broker.start()
        else:
            self._broker.pause()
            time.sleep(chance.uniform(2, 9))
            self._broker.resume()
        with self._lock:
            self.done.counts[kind] += 1


def _passing(point: str, chance: random.Random) -> int:
    """Which passing it shall be: the first, or the middle of many."""
    many = {faults.PRODUCING: 30, faults.RESTORING: 12, faults.TAKEN: 8}
    return chance.randint(1, many.get(point, 2))
