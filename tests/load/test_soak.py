"""The soak itself, for some seconds: what it shows is what an hour of it would rest on."""

import csv
from pathlib import Path

from kafka_local import Broker
from tests.integration.world import World
from tests.load import picture
from tests.load.report import table, verdicts
from tests.load.run import Soak
from tests.load.samples import MemberSample, Sample, write


def test_a_short_soak_is_whole(broker: Broker, tmp_path: Path) -> None:
    """A group that is published to and disturbed: every prediction and dead letter once, every member measured."""
    run = Soak(World(broker.bootstrap_servers), broker, tmp_path, zones=200, members=2)
    try:
        run.begin()
        assert run.calibrate(1.0) > 0
        run.run(6.0, 2000.0)
        run.disturb()
        run.run(6.0, 2000.0)
        seen = run.finish()
    finally:
        run.close()
    assert seen.problems == []
    assert seen.days > 3  # from then on some readings are late
    last = seen.samples[-1]
    assert (last.lag, last.changelog_records > 0, last.changelog_bytes > 0) == (0, True, True)
    assert all(member.resident_bytes > 50e6 and member.handles > 10 for member in last.members)


def test_what_is_written_of_a_run(tmp_path: Path) -> None:
    """A line for each minute, a row for each sample (empty where a member was down), curves in a small picture."""
    samples = [
        Sample(
            5.0 * n,
            1000.0 * n,
            3.0,
            2e7,
            500.0,
            (MemberSample(2e8, 40, 20, n), MemberSample() if n == 9 else MemberSample(1e8, 39, 20, 1)),
        )
        for n in range(1, 40)
    ]
    assert [line.split()[:3] for line in table(samples).splitlines()[1:]] == [
        ["1", "200", "3"], ["2", "200", "3"], ["3", "200", "3"],
    ]  # fmt: skip
    assert all(verdict.level for verdict in verdicts(samples))
    write(samples, tmp_path / "soak.csv")
    rows = list(csv.DictReader((tmp_path / "soak.csv").read_text().splitlines()))
    assert (len(rows), rows[8]["seconds"], rows[8]["member0_handles"], rows[8]["member1_handles"]) == (
        39,
        "45",
        "40",
        "",
    )
    picture.draw(samples, "a run", tmp_path / "soak.png")
    assert 10_000 < (tmp_path / "soak.png").stat().st_size < 100_000
