"""`python -m tests.chaos` (`make chaos`): the service under faults for as long as is asked, and the verdict."""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.chaos.mutations import MUTATIONS
from tests.chaos.run import Plan, Report, chaos


def main(arguments: Sequence[str]) -> int:
    """Status 0 when nothing was lost, doubled or of another value; else 1, and the logs are kept."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Runs members of the service on a real Kafka, kills and stops them and the broker, and holds "
        "what was published to the naive reference.",
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long it is disturbed (10)")
    parser.add_argument("--seed", type=int, help="what is done, and what is published; a random one by default")
    parser.add_argument(
        "--protocol", choices=["classic", "consumer"], help="the group protocol; by default the seed's"
    )
    parser.add_argument("--static", action="store_true", help="with group.instance.id")
    parser.add_argument("--mutation", choices=MUTATIONS, default="", help="take one safety out, and see it fail")
    parser.add_argument("--only", action="append", default=[], help="a fault by its name, as in the report; repeat")
    parser.add_argument("--at-once", type=int, default=3, help="members in trouble at the same time (3)")
    parser.add_argument("--rate", type=float, default=400.0, help="messages a second (400)")
    options = parser.parse_args(arguments)
    seed = random.randrange(10**6) if options.seed is None else options.seed
    plan = replace(Plan.of(seed, 60 * options.minutes), rate=options.rate, mutation=options.mutation)
    plan = replace(plan, only=tuple(options.only), at_once=options.at_once)
    if options.protocol:
        plan = replace(plan, protocol=options.protocol)
    if options.static:
        plan = replace(plan, static=True)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    _say(f"seed {seed}, group protocol {plan.protocol}, {plan.members} members, {plan.seconds:.0f} s")
    report = chaos(plan, folder, _say)
    _say(text(report))
    if report.failures:
        _say(f"the logs of members and broker are in {folder}")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def text(report: Report) -> str:
    """The report for a person."""
    v, plan = report.verdict, report.plan
    lines = [
        f"seed {plan.seed}, {plan.protocol}{', static members' if plan.static else ''}: {report.seconds:.0f} s, "
        f"{report.rounds} rounds of faults",
        *(f"{count:6} {name}" for name, count in sorted(report.faults.items())),
        f"{report.kills:6} kills of a member in all; members were started {report.starts} times",
        f"{report.aborts:6} transactions aborted and undone; {report.lost} times partitions were lost",
        "       batches published: " + ", ".join(f"{count} {name}" for name, count in sorted(report.batches.items())),
        f"{v.readings:6} messages, {v.predictions} predictions ({v.revised} revisions), {v.letters} dead letters; "
        f"{report.seen} seen by a subscriber that read along",
        f"       ledger: {v.accepted} accepted = {v.ended} in ended windows + {v.open} in open ones + "
        f"{v.repeats} repeats + {v.corrections} corrections",
        *(f"FAILED: {failure[:600]}" for failure in report.failures[:20]),
    ]
    if len(report.failures) > 20:
        lines.append(f"FAILED: {len(report.failures) - 20} more")
    lines.append("FAILED" if report.failures else "passed: nothing lost, nothing doubled, no other value")
    return "\n".join(lines)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
