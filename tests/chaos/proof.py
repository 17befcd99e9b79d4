"""`python -m tests.chaos.proof`: takes out one safety after the other, each of which a run of the chaos must miss."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.chaos.mutations import MUTATIONS, Mutation
from tests.chaos.run import Plan, chaos


def main(arguments: Sequence[str]) -> int:
    """Status 0 when each mutation was noticed, but for those of which it is said why they cannot be; else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.proof", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="MUTATION", help=f"by default all: {', '.join(MUTATIONS)}")
    parser.add_argument("--seconds", type=float, default=45.0, help="how long each run is disturbed (45)")
    parser.add_argument("--seeds", type=int, default=3, help="how many runs a mutation may take to be noticed (3)")
    options = parser.parse_args(arguments)
    survived = []
    for name in options.names or MUTATIONS:
        mutation = MUTATIONS[name]
        noticed = next(
            filter(None, (_run(name, mutation, seed, options.seconds) for seed in range(options.seeds))), ""
        )
        _say(f"{name}: {mutation.what}\n    {noticed or 'SURVIVED'}")
        if not noticed and mutation.survives:
            _say(f"    as it must: {mutation.survives}")
        elif not noticed:
            survived.append(name)
    return 1 if survived else 0


def _run(name: str, mutation: Mutation, seed: int, seconds: float) -> str:
    """How a run noticed it, or nothing."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        plan = replace(Plan(seed, seconds, mutation.protocol), only=mutation.faults, mutation=name, at_once=2)
        report = chaos(plan, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    more = len(report.failures) - 1
    return f"noticed (seed {seed}), and {more} more: {report.failures[0][:200]}" if report.failures else ""


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
