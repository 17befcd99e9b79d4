"""The table of where the time goes, from the sampler's lines; and what the sampler sees."""

import threading
from contextlib import suppress

from benchmarks.race import Run
from benchmarks.sampled import innermost
from benchmarks.stages import stages
from season.cli import StoppedError
from season.kafka import connect

RUN = Run(messages=1000, seconds=2.0, cpu_seconds=1.0, began=100.0)


def cells(line: str) -> list[str]:
    """A row of a table."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_shares_add_up_to_the_measured_time() -> None:
    """2 s for 1,000 messages are 2 ms each: three quarters of the samples are 1.5 ms."""
    lines = ["100.5 a.py", "101.0 a.py", "101.5 a.py", "102.0 b.py"]
    rows = [cells(line) for line in stages(lines, RUN)]
    assert rows[0][0] == "Main thread, 4 samples"
    assert rows[2:4] == [["a.py", "75.0", "1,500,000"], ["b.py", "25.0", "500,000"]]
    assert rows[4][1:] == ["100", "2,000,000"]


def test_samples_of_another_time_do_not_count() -> None:
    """Starting up, warming up and what came after the run are no part of it; nor is a line that is cut."""
    lines = ["99.9 start.py", "100.1 a.py", "102.1 end.py", "101."]
    assert [cells(line)[0] for line in stages(lines, RUN)[2:-1]] == ["a.py"]


def test_what_is_little_is_shown_together() -> None:
    """Files below half a percent are the rest."""
    lines = ["101 a.py"] * 996 + [f"101 {number}.py" for number in range(4)]
    assert [cells(line)[:2] for line in stages(lines, RUN)[2:-1]] == [["a.py", "99.6"], ["the rest", "0.40"]]


def test_the_innermost_file_of_ours_is_seen() -> None:
    """A thread that is in the middle of one of our functions counts for its file, wherever that calls to."""
    entered, leave = threading.Event(), threading.Event()

    def stopped() -> bool:
        entered.set()
        return leave.wait(60)

    def work() -> None:
        with suppress(StoppedError):
            connect({"bootstrap.servers": "127.0.0.1:1"}, lambda _: None, stopped)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert entered.wait(60)
    assert innermost(thread.ident or 0) == "season/kafka.py"
    assert innermost(-1) == "-"
    leave.set()
    thread.join(60)
