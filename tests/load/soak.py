"""`python -m tests.load.soak` (`make soak`): a group at half of its highest rate for an hour, disturbed every minute.

Members of the real service work on a local broker. One of them is never stopped; every minute another one is, by
SIGTERM or (each third time) by kill -9, and started again. What they hold, and what the changelog takes, is
measured every few seconds; every prediction and dead letter is checked as it comes.
"""

import argparse
import shutil
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from kafka_local import Broker
from tests.integration.world import ROOT, World
from tests.load import picture
from tests.load.made import totals
from tests.load.report import sentence, table, verdicts
from tests.load.run import Seen, Soak
from tests.load.samples import write

_JUDGED = 20.0  # minutes: what the curves of a shorter run do says nothing


def main() -> None:
    """Runs it, writes soak.csv and soak.png, and ends with status 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long (%(default)s)")
    parser.add_argument("--rate", type=float, help="readings a second (half of the highest, measured at the start)")
    parser.add_argument("--zones", type=int, default=10_000, help="how many zones there are (%(default)s)")
    parser.add_argument("--members", type=int, default=3, help="members of the group, two or more (%(default)s)")
    parser.add_argument("--calibrate", type=float, default=20, help="seconds at the highest rate (%(default)s)")
    parser.add_argument(
        "--out", type=Path, default=ROOT / ".run" / "soak", help="the folder of soak.csv and soak.png"
    )
    told = parser.parse_args()
    if told.members < 2:
        parser.error("--members: one is never stopped and another one is, so there are two or more")
    with TemporaryDirectory() as folder:
        seen = soak(told, Path(folder))
        if seen.problems:
            shutil.copytree(folder, told.out / "logs", ignore=shutil.ignore_patterns("data"), dirs_exist_ok=True)
    sys.exit(conclude(seen, told))


def soak(told: argparse.Namespace, folder: Path) -> Seen:
    """Runs it; the broker and the members are gone afterwards."""
    # Every five minutes by default: in that time more is read than the disk should hold.
    settings = {"log.retention.check.interval.ms": "10000"}
    with Broker(folder / "kafka", settings) as broker:
        return work(told, broker, folder)


def work(told: argparse.Namespace, broker: Broker, folder: Path) -> Seen:
    """The run, on a broker."""
    with closing(Soak(World(broker.bootstrap_servers), broker, folder, told.zones, told.members)) as run:
        run.begin()
        highest = run.calibrate(told.calibrate)
        rate = told.rate or highest / 2
        say(f"the highest rate now: {highest:,.0f} readings/s; the soak's: {rate:,.0f}, for {told.minutes:g} minutes")
        run.run(60 * told.minutes, rate)
        return run.finish()


def conclude(seen: Seen, told: argparse.Namespace) -> int:
    """Writes the samples, draws the curves and tells what they come to; the exit status."""
    told.out.mkdir(parents=True, exist_ok=True)
    write(seen.samples, told.out / "soak.csv")
    expected = totals(told.zones, seen.days)
    title = f"{expected.messages:,} readings of {told.zones:,} zones, {told.members} members, a rebalance each minute"
    picture.draw(seen.samples, title, told.out / "soak.png")
    say(table(seen.samples))
    judged = told.minutes >= _JUDGED
    found = verdicts(seen.samples)
    for verdict in found:
        say(sentence(verdict, judged))
    for problem in seen.problems:
        say(f"WRONG: {problem}")
    if not seen.problems:
        say(f"whole: {title}: {expected.predictions:,} predictions and {expected.late:,} dead letters, each once")
    say(f"the samples and the curves are in {told.out}")
    return int(bool(seen.problems) or (judged and not all(verdict.level for verdict in found)))


def say(text: str) -> None:
    """A line to standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
