"""One run: broker, members, publisher and a subscriber, disturbed for a while, brought to rest and judged."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from kafka_local import Broker, BrokerError
from tests.chaos import faults
from tests.chaos.disturb import Disturbance
from tests.chaos.member import MUTATION
from tests.chaos.members import DeadError, Member, said
from tests.chaos.publisher import Publisher
from tests.chaos.verdict import Verdict, judge
from tests.chaos.witness import Witness
from tests.integration.world import World, wait

# Sessions shorter than a broker allows by default: who is killed holds its partitions that long.
_SESSION = "4000"
_SETTINGS = {
    "group.min.session.timeout.ms": _SESSION,
    "group.consumer.session.timeout.ms": _SESSION,
    "group.consumer.min.session.timeout.ms": _SESSION,
    "group.consumer.heartbeat.interval.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "1000",
}


@dataclass(frozen=True)
class Plan:
    """What a run does. All but the machine's timing follows from it."""

    seed: int
    seconds: float
    protocol: str = "classic"
    static: bool = False
    members: int = 4
    rate: float = 400.0  # messages a second
    broker_every: float = 25.0  # seconds, about
    points: int = 0  # at which members are killed at least
    at_once: int = 3  # members that are in trouble at the same time
    only: tuple[str, ...] = ()  # faults, by their names; all where there is none
    mutation: str = ""

    @classmethod
    def of(cls, seed: int, seconds: float) -> "Plan":
        """Seeds alternate between the group protocols."""
        return cls(seed, seconds, ("classic", "consumer")[seed % 2])


@dataclass
class Report:
    """What was done, and what it came to."""

    plan: Plan
    seconds: float = 0.0
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    points: set[str] = field(default_factory=set)
    starts: int = 0
    aborts: int = 0
    lost: int = 0
    batches: Counter[str] = field(default_factory=Counter)
    seen: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    failures: list[str] = field(default_factory=list)


def chaos(plan: Plan, folder: Path, say: Callable[[str], None] = lambda _: None) -> Report:
    """One run in a folder, where the logs of members and broker are afterwards."""
    report = Report(plan)
    with Broker(folder / "kafka", settings=_SETTINGS) as broker:
        world = World(broker.bootstrap_servers)
        members = _members(world, plan, folder)
        try:
            _run(plan, world, members, broker, folder, report, say)
        except (DeadError, BrokerError, AssertionError) as error:
            report.failures.append(str(error))
        finally:
            for member in members:
                if member.starts:
                    member.kill()
        report.starts = sum(member.starts for member in members)
        report.aborts, report.lost = said(folder, "transaction aborted"), said(folder, "partitions lost")
        report.failures += [f"{said(folder, s)} times {s!r}" for s in _NEVER if said(folder, s)]
        if not plan.only and report.rounds > 2 and (missed := set(faults.POINTS) - report.points):
            report.failures.append(f"no member was killed at these points: {sorted(missed)}")
        if not report.failures or _answers(world):
            report.verdict = judge(world)
            report.failures += report.verdict.failures
    return report


_NEVER = ("Traceback", "readings are lost")


def _answers(world: World) -> bool:
    """Whether a verdict can be had after a run that failed."""
    try:
        wait(world.settled, 30, "the broker does not answer, or transactions are open")
    except AssertionError:
        return False
    return True


def _members(world: World, plan: Plan, folder: Path) -> list[Member]:
    environ = world.environ | {
        "COMMIT_INTERVAL": "800ms",
        "KAFKA_GROUP_PROTOCOL": plan.protocol,
        MUTATION: plan.mutation,
    }
    if plan.protocol == "consumer":
        environ.pop("KAFKA_SESSION_TIMEOUT_MS")
    else:
        environ |= {"KAFKA_SESSION_TIMEOUT_MS": _SESSION, "KAFKA_HEARTBEAT_INTERVAL_MS": "1000"}
    members = []
    for number in range(plan.members):
        name = f"member-{number}"
        static = {"KAFKA_GROUP_INSTANCE_ID": name} if plan.static else {}
        # Records that wait for others in the client are not at the broker when the offsets are.
        waits = {"KAFKA_LINGER_MS": "500"} if number % 2 else {}
        members.append(Member(name, environ | static | waits, folder))
    return members


def _run(
    plan: Plan,
    world: World,
    members: list[Member],
    broker: Broker,
    folder: Path,
    report: Report,
    say: Callable[[str], None],
) -> None:
    for member in members:
        member.start()
    wait(lambda: said(folder, "partition restored") >= world.partitions, 120, "the members do not start")
    publisher = Publisher(world, plan.seed, plan.rate)
    witnesses = {name: Witness(world, name) for name in ("PREDICTIONS_TOPIC", "DEAD_LETTER_TOPIC")}
    disturbance = Disturbance(members, broker, plan.seed, plan.broker_every, plan.at_once, plan.only)
    publisher.start()
    for witness in witnesses.values():
        witness.start()
    began = time.monotonic()
    done = disturbance.done
    try:
        disturbance.run(
            plan.seconds,
            plan.points,
            lambda passed: say(f"{passed:4.0f} s: {sum(done.counts.values())} faults, {publisher.sent} messages"),
        )
    finally:
        report.seconds = time.monotonic() - began
        report.rounds, report.faults, report.kills = done.rounds, done.counts, done.kills
        report.points, report.batches = done.points, publisher.batches
        report.failures += done.failures
        publisher.stop()
    say("everything runs again; waiting until all is read")
    for member in members:
        member.alive()
    world.wait_until_read(120)
    for member in members:
        member.stop()
    wait(world.settled, 60, "transactions are open though nobody runs")
    for name, witness in witnesses.items():
        witness.stop()
        report.seen += len(witness.seen)
        report.failures += witness.differences(world.flat(name))
