"""Named points of the loop at which a member kills or stops itself, or a call fails. They exist in these tests alone.

`install` wraps methods of the production classes by name, and fails where one is gone. What is armed stands in a
file: a line each `point|passing|action`, the first of which is waited for. When its point is passed for that time
the line moves to the file of those that fired, and the action is done.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer

from consumer.adapters import restore, source, transaction
from consumer.service import Service
from season.client import producer

KILL, STOP, REFUSE, HANG = "kill", "stop", "refuse", "hang"
_HANGS = 7.5  # seconds that a call does not come back, as after a crash of the broker: the service gives it up before

BEGUN = "after begin"
PRODUCING = "while producing"
PRODUCED = "between produce and offsets"
OFFSETS_SENT = "between offsets and commit"
COMMITTING = "inside the commit"
COMMITTED = "between commit and the next poll"
TAKEN = "after a poll"
ASSIGNED = "after an assignment"
RESTORING = "in the middle of a restore"
REVOKING = "while partitions are revoked"
ABORTING = "before an abort"
ABORTED = "after an abort"
ID_TAKEN = "after the id is taken"
POINTS = (
    BEGUN, PRODUCING, PRODUCED, OFFSETS_SENT, COMMITTING, COMMITTED, TAKEN, ASSIGNED, RESTORING, REVOKING, ABORTING,
    ABORTED, ID_TAKEN,
)  # fmt: skip


@dataclass(frozen=True)
class Armed:
    """At the `passing`-th passing of `point` from now on, do `action`."""

    point: str
    action: str = KILL
    passing: int = 1

    def __str__(self) -> str:
        return f"{self.point}|{self.passing}|{self.action}"

    @classmethod
    def parse(cls, line: str) -> "Armed":
        """From its text."""
        point, passing, action = line.split("|")
        return cls(point, action, int(passing))


class Faults:
    """What is armed for one process, and what has fired. Points may be passed on any thread."""

    def __init__(self, armed: Path, fired: Path) -> None:
        self._armed, self._fired = armed, fired
        self._waited_for = ""
        self._passed = 0
        self._lock = threading.Lock()

    def passing(self, point: str) -> str:
        """Does what is armed here, if anything is; a refusal the caller has to see to."""
        with self._lock:
            action = self._due(point)
        if action == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if action == STOP:
            os.kill(os.getpid(), signal.SIGSTOP)
        if action == HANG:
            time.sleep(_HANGS)
        return action

    def _due(self, point: str) -> str:
        try:
            first, *others = self._armed.read_text("utf-8").splitlines()
        except (FileNotFoundError, ValueError):
            return ""
        if first != self._waited_for:
            self._waited_for, self._passed = first, 0
        armed = Armed.parse(first)
        if armed.point != point:
            return ""
        self._passed += 1
        if self._passed < armed.passing:
            return ""
        with self._fired.open("a", encoding="utf-8") as file:
            file.write(first + "\n")
        arm(self._armed, *map(Armed.parse, others))
        return armed.action


def arm(path: Path, *armed: Armed) -> None:
    """Writes what is armed from now on; nothing disarms."""
    path.unlink(missing_ok=True)
    if armed:
        partial = path.with_suffix(".partial")
        partial.write_text("".join(f"{one}\n" for one in armed), "utf-8")
        partial.rename(path)


def install(faults: Faults, stranger: Callable[[], Any]) -> None:
    """Makes the loop pass the points. `stranger` gives a group's metadata that the broker refuses."""
    assert hasattr(producer, "Producer"), "the transactional producer is made elsewhere now"
    setattr(producer, "Producer", _client(faults, stranger))  # noqa: B010 - mypy knows it as not exported
    _after(transaction.Transactions, "_begin", BEGUN, faults)
    _after(transaction.Transactions, "_send", PRODUCING, faults)
    _after(source.Source, "poll", TAKEN, faults, lambda taken: bool(taken.messages))
    _after(Service, "assigned", ASSIGNED, faults)
    _before(Service, "revoked", REVOKING, faults)
    _before(restore.Restorer, "proceed", RESTORING, faults)


def _client(faults: Faults, stranger: Callable[[], Any]) -> type[Producer]:
    """The client's producer, which passes the points of a transaction."""

    class PassingProducer(Producer):
        def init_transactions(self, *arguments: Any) -> None:
            super().init_transactions(*arguments)
            faults.passing(ID_TAKEN)

        def send_offsets_to_transaction(self, offsets: Any, metadata: Any, *arguments: Any) -> None:
            refused = faults.passing(PRODUCED) == REFUSE
            super().send_offsets_to_transaction(offsets, stranger() if refused else metadata, *arguments)

        def commit_transaction(self, *arguments: Any) -> None:
            faults.passing(OFFSETS_SENT)
            threading.Timer(0.0005, faults.passing, [COMMITTING]).start()
            super().commit_transaction(*arguments)
            faults.passing(COMMITTED)

        def abort_transaction(self, *arguments: Any) -> None:
            faults.passing(ABORTING)
            super().abort_transaction(*arguments)
            faults.passing(ABORTED)

    return PassingProducer


def _after(
    owner: type, name: str, point: str, faults: Faults, counts: Callable[[Any], bool] = lambda _: True
) -> None:
    method = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        answer = method(*arguments, **named)
        if counts(answer):
            faults.passing(point)
        return answer

    setattr(owner, name, wrapped)


def _before(owner: type, name: str, point: str, faults: Faults) -> None:
    method = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        faults.passing(point)
        return method(*arguments, **named)

    setattr(owner, name, wrapped)


def stranger_of(servers: str, group: str) -> Callable[[], Any]:
    """The metadata of a static member that the group has never had: the broker refuses its offsets."""
    properties = {"bootstrap.servers": servers, "group.id": group, "group.instance.id": "stranger"}
    return lambda: Consumer(properties).consumer_group_metadata()
