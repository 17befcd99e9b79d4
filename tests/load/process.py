"""What a process holds, as Linux tells it: memory, open files, threads, processor time."""

import os
from dataclasses import dataclass
from pathlib import Path

MB = 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """Resident memory and its peak in bytes, open file handles, threads, and processor time in seconds so far."""

    resident: int
    peak: int
    handles: int
    threads: int
    processor: float


def held(pid: int) -> Usage:
    """What a process holds now. OSError or ValueError where it has just ended."""
    folder = Path("/proc", str(pid))
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    times = (folder / "stat").read_text().rsplit(")", 1)[1].split()
    if "VmRSS" not in status:
        raise ValueError(f"process {pid} has ended")
    return Usage(
        resident=int(status["VmRSS"].split()[0]) * 1024,
        peak=int(status["VmHWM"].split()[0]) * 1024,
        handles=len(list((folder / "fd").iterdir())),
        threads=int(status["Threads"]),
        processor=(int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"),
    )


def disk(folders: list[Path]) -> int:
    """The bytes that these folders' files take on the disk; files that go meanwhile count as gone."""
    total = 0
    for folder in folders:
        for file in folder.iterdir():
            try:
                # Blocks, not sizes: Kafka makes its index files 10 MB long, and nearly all of that is a hole.
                total += file.stat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total
