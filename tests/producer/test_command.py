"""What is wrong with the command line, the settings or a file ends it at once: status 2 and one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def producer(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs the producer as a user does; a broker is not there."""
    done = subprocess.run(
        [sys.executable, "-m", "producer", *arguments],
        cwd=ROOT,
        env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A file with one reading."""
    path = tmp_path / "readings.csv"
    path.write_text("zone,timestamp,demand_mw\nIT,2021-06-01T13:00:00Z,1\n")
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "environ", "part"),
    [
        (["--speed=0"], {}, "--speed '0'"),
        (["--time-zone=Europe/Roma"], {}, "--time-zone"),
        (["--step=7m"], {}, "--step '7m'"),
        (["--since=2021-06-02", "--until=2021-06-01"], {}, "--since 2021-06-02 is later"),
        (["--demand-column=load"], {}, "no column 'load'"),
        (["none.csv"], {}, "none.csv cannot be read"),
        (["-", "-"], {}, "standard input"),
        ([], {"READINGS_TOPIC": "predictions"}, "PREDICTIONS_TOPIC='predictions'"),
        ([], {"TOPIC_PARTITIONS": "0"}, "TOPIC_PARTITIONS='0'"),
        ([], {"KAFKA_ACKS": "1"}, "KAFKA_ACKS='1'"),
        ([], {"KAFKA_NO_SUCH_PROPERTY": "1"}, "KAFKA_NO_SUCH_PROPERTY"),
        ([], {"KAFKA_LINGER_MS": "soon"}, "KAFKA_LINGER_MS='soon'"),
    ],
)
def test_what_a_person_must_set_right_is_a_sentence(
    file: str, arguments: list[str], environ: dict[str, str], part: str
) -> None:
    """One sentence that names it, status 2, no traceback, before any broker is asked."""
    done = producer(file, *arguments, **environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert part in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_says_what_it_does() -> None:
    """--help needs neither file nor broker."""
    done = producer("--help")
    assert done.returncode == 0
    assert "--skip-bad" in done.stdout
    assert "KAFKA_BOOTSTRAP_SERVERS" in done.stdout
