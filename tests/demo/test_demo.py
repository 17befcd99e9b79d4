"""The demo as a user runs it: it shows the year, sums it up, and leaves nothing running, however it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from consumer.watch.line import width
from demo.programs import ROOT


def start(**settings: str) -> subprocess.Popen[str]:
    """Run it as `make demo` does, in a session of its own, beside settings of the user's."""
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def left_running(folder: str) -> list[str]:
    """The commands of processes whose open files or arguments are in a demo's folder."""
    commands = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            files = [str(link.readlink()) for link in (process / "fd").iterdir()]
        except OSError:
            continue
        if folder in command or any(file.startswith(folder) for file in files):
            commands.append(command)
    return commands


def logs_of(output: str) -> str:
    """The folder that the demo names at its end."""
    found = re.search(r"^.*the logs: (\S+)$", output, re.IGNORECASE | re.MULTILINE)
    assert found is not None, output
    return str(ROOT / found[1])


@pytest.fixture(scope="module")
def both() -> list[str]:
    """The outputs of two whole runs at once. The user's own settings would break one if they counted."""
    demos = [start(), start(KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", READINGS_TOPIC="theirs", GRACE_PERIOD="nonsense")]
    outputs = [demo.communicate(timeout=300)[0] for demo in demos]
    assert [demo.returncode for demo in demos] == [0, 0], outputs
    return outputs


@pytest.fixture(params=[0, 1])
def whole(both: list[str], request: pytest.FixtureRequest) -> str:
    """The output of either of them: two at once do not meet."""
    return both[int(request.param)]


@pytest.mark.broker
def test_every_day_of_the_year_is_shown_once(whole: str) -> None:
    """A line for each local date of 2021, in order."""
    dates = re.findall(r"^IT +(2021-\d\d-\d\d) .* winter [01]\.\d{4} +(?:winter|summer)", whole, re.MULTILINE)
    assert len(dates) == 365
    assert dates == sorted(set(dates))


@pytest.mark.broker
def test_each_step_says_what_it_does_and_how_long_it_took(whole: str) -> None:
    """Kafka, consumer, replay, stop."""
    steps = re.findall(r"^-- (\w+ \w+)", whole, re.MULTILINE)
    assert steps == ["starting Apache", "starting the", "replaying 8", "stopping the"]
    assert len(re.findall(r"^   done in \d+\.\d s$", whole, re.MULTILINE)) == 4


@pytest.mark.broker
def test_the_summary_says_what_came_out(whole: str) -> None:
    """Readings, days, speed, dead letters, agreement in all and by month, and the place of the logs."""
    assert re.search(
        r"^8,760 readings became 365 days in [\d.]+ s \([\d,]+ readings/s\), 0 dead letters$", whole, re.MULTILINE
    )
    share = re.search(r"^labelled as the calendar has it: \d+ of 365 days \(([\d.]+) %\)$", whole, re.MULTILINE)
    assert share is not None
    assert float(share[1]) >= 96
    months = re.search(r"^by month, in %: (.*)\n +(.*)$", whole, re.MULTILINE)
    assert months is not None
    assert [len(re.findall(r"[A-Z][a-z]{2} +\d+", half)) for half in months.groups()] == [6, 6]
    logs = Path(logs_of(whole))
    assert {"consumer.log", "producer.log"} <= {path.name for path in logs.iterdir()}
    assert (logs / "kafka" / "broker.log").exists()


@pytest.mark.broker
def test_all_of_it_fits_a_terminal_of_80_columns(whole: str) -> None:
    """The steps, the days, surprises included, and the summary."""
    assert "◀" in whole
    assert [line for line in whole.splitlines() if width(line) > 80] == []


@pytest.mark.broker
def test_a_whole_run_leaves_nothing_running(whole: str) -> None:
    """Nothing has its folder open."""
    assert left_running(logs_of(whole)) == []


@pytest.mark.broker
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_leaves_nothing_running(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM in the middle end everything and name the logs; kill -9 leaves nothing behind either."""
    demo = start()
    assert demo.stdout is not None
    for text in demo.stdout:
        if text.startswith("IT "):
            break
    folder = str(max((ROOT / ".run").glob(f"demo-*-{demo.pid}"), key=os.path.getmtime))
    assert len(left_running(folder)) >= 3
    demo.send_signal(number)
    output, _ = demo.communicate(timeout=120)
    if number != signal.SIGKILL:
        assert demo.returncode == 128 + number
        assert output.endswith(f"stopped by a signal; nothing is left running. The logs: {folder}\n")
        assert left_running(folder) == []
    deadline = time.monotonic() + 60  # a broker that is told to end may take its time over it on a busy machine
    while left_running(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left_running(folder) == []


@pytest.mark.broker
def test_a_failure_is_a_sentence_and_leaves_nothing_running() -> None:
    """The consumer is killed in the middle: status 1, the consumer's log is named, nothing stays."""
    demo = start()
    assert demo.stdout is not None
    for text in demo.stdout:
        if text.startswith("IT "):
            break
    folder = str(max((ROOT / ".run").glob(f"demo-*-{demo.pid}"), key=os.path.getmtime))
    os.kill(pid_of(f"{folder}/consumer.log"), signal.SIGKILL)
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 1
    assert re.search(
        rf"^the consumer ended with status -9: .*\nits log: {folder}/consumer.log$", output, re.MULTILINE
    )
    assert "Traceback" not in output
    assert left_running(folder) == []


def pid_of(log: str) -> int:
    """The process that writes to this file."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) == log for link in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue
    raise AssertionError(log)
