"""`python -m tests.load.backlog`: the memory that one member takes to work off a backlog, and its pace.

The backlog is published first. A member that has nothing to do tells what an idle one holds; another one works the
backlog off. What comes out is held to the formula of `made`.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kafka_local import Broker
from kafka_local.leash import leashed
from tests.integration.world import ROOT, World
from tests.load.made import totals
from tests.load.process import MB, held
from tests.load.subscriber import read_all

BOUND = 300 * MB
"""What a member may hold above an idle one."""


@dataclass(frozen=True)
class Worked:
    """Messages, seconds until the group had committed them all, and bytes: an idle member's, and the peak."""

    messages: int
    seconds: float
    idle: int
    peak: int

    @property
    def above(self) -> int:
        """The peak above an idle member."""
        return self.peak - self.idle


@contextmanager
def publishing(world: World, zones: int, days: int) -> Iterator[None]:
    """A process that publishes whole days of all zones, as fast as it goes; at the end it is waited for."""
    told = {"servers": world.servers, "topic": world.environ["READINGS_TOPIC"], "zones": zones, "days": days}
    options = [text for name, value in told.items() for text in (f"--{name}", str(value))]
    command = leashed([sys.executable, "-m", "tests.load.publisher", *options])
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        except BaseException:
            process.kill()
            raise
        assert process.wait() == 0


def publish(world: World, zones: int, days: int) -> None:
    """Publishes whole days of all zones."""
    with publishing(world, zones, days):
        pass


def work_off(world: World, folder: Path, zones: int, days: int, seconds: float) -> Worked:
    """Publishes the days, and lets one member work them off; `seconds` are the longest that it may take."""
    with world.service(folder, WINDOW_TIME_ZONE="UTC") as service:
        service.ready()
        time.sleep(2)
        idle = held(service.process.pid).resident
        assert service.stop() == 0
    publish(world, zones, days)
    with world.service(folder, WINDOW_TIME_ZONE="UTC") as service:
        service.ready()
        began = time.monotonic()
        world.wait_until_read(seconds)
        took = time.monotonic() - began
        peak = held(service.process.pid).peak
        assert service.stop() == 0
    return Worked(totals(zones, days).messages, took, idle, peak)


def measure(zones: int, days: int) -> tuple[Worked, list[str]]:
    """One backlog on a broker of its own; also what is wrong with what came out."""
    with TemporaryDirectory() as folder, Broker() as broker:
        world = World(broker.bootstrap_servers)
        return work_off(world, Path(folder), zones, days, 600), read_all(world, zones, days)


def main() -> None:
    """Prints what was measured; status 1 where it was more than the bound."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.backlog", description=__doc__)
    parser.add_argument("--readings", type=int, default=5_000_000, help="at least so many (%(default)s)")
    parser.add_argument("--zones", type=int, nargs="+", default=[2000, 50_000], help="a run for each (%(default)s)")
    told = parser.parse_args()
    beyond = False
    for zones in told.zones:
        days = -(-told.readings // (24 * zones))
        worked, problems = measure(zones, days)
        beyond |= worked.above > BOUND or bool(problems)
        sys.stdout.write(
            f"{worked.messages:,} messages of {zones:,} zones in {worked.seconds:.1f} s, "
            f"{worked.messages / worked.seconds:,.0f}/s: idle {worked.idle / MB:.0f} MB, peak "
            f"{worked.peak / MB:.0f} MB, {worked.above / MB:.0f} above it where {BOUND / MB:.0f} are allowed; "
            f"{problems[0] if problems else 'what came out is whole'}\n"
        )
        sys.stdout.flush()
    sys.exit(beyond)


if __name__ == "__main__":
    main()
