"""The service survives what production does to it: a seeded run on a broker of its own, about two minutes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos import faults
from tests.chaos.__main__ import text
from tests.chaos.run import Plan, chaos

ROOT = Path(__file__).parents[2]
SECONDS = 75.0


@pytest.mark.timeout(900)
def test_chaos_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Members killed at named points and at any time, stopped, refused, the broker killed: all comes out once.

    What was published is what the naive reference makes of the log, the changelog holds its open windows, a
    subscriber that read along saw nothing that is gone, and the ledger adds up.
    """
    report = chaos(Plan(seed=3, seconds=SECONDS, points=6), tmp_path)
    assert not report.failures, text(report)
    assert len(report.points) >= 6, text(report)
    assert report.kills > len(report.points), text(report)
    assert report.aborts, text(report)
    assert report.verdict.predictions > 100, text(report)
    assert report.verdict.revised, text(report)


def test_every_point_and_mutation_finds_what_it_wraps() -> None:
    """A member that fails at its start, since a name is gone, would count as a mutation that was noticed."""
    program = (
        "from tests.chaos import faults, mutations\n"
        "faults.install(None, None)\n"
        "for mutation in mutations.MUTATIONS.values(): mutation.take_out()\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)


def test_an_armed_point_fires_once_and_in_its_order(tmp_path: Path) -> None:
    """Points are counted from when they are armed; the next one waits for the one before."""
    armed, fired = tmp_path / "m.armed", tmp_path / "m.fired"
    member = faults.Faults(armed, fired)
    first, second = faults.Armed(faults.BEGUN, faults.REFUSE, 2), faults.Armed(faults.COMMITTED, faults.REFUSE)
    assert member.passing(faults.BEGUN) == ""
    faults.arm(armed, first, second)
    passed = [member.passing(point) for point in (faults.COMMITTED, faults.BEGUN, faults.BEGUN, faults.COMMITTED)]
    assert passed == ["", "", faults.REFUSE, faults.REFUSE]
    assert fired.read_text("utf-8").splitlines() == [str(first), str(second)]
    assert not armed.exists()
