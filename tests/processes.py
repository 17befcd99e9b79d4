"""Processes as Linux lists them: whose children they are, how long they have run, and whether they have ended."""

import os
from pathlib import Path


def children(parent: int) -> list[int]:
    """The processes that a process has started, and that have not been waited for."""
    listed = [path.read_text() for path in Path(f"/proc/{parent}/task").glob("*/children")]
    return [int(number) for text in listed for number in text.split()]


def processor_seconds(process: int) -> float:
    """How long a process has had a processor."""
    fields = _fields(process)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gone(process: int) -> bool:
    """Whether it has ended; one that nobody waits for stays in the list."""
    try:
        return _fields(process)[0] == "Z"
    except OSError:
        return True


def _fields(process: int) -> list[str]:
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
