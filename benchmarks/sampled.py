"""The service, while a thread notes every few milliseconds in which file of this repository its main thread is.

`python -m benchmarks.sampled` is started by `benchmarks.stages`; a line of WORK_FOLDER/samples.txt is the wall clock
and the innermost of our files on the main thread's stack. A call of NumPy or of the Kafka client counts for the file
that makes it.
"""

import os
import runpy
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INTERVAL_S = 0.004
SAMPLES = "samples.txt"
PACKAGES = ("consumer", "season")


def sample(thread: int, path: Path) -> None:
    """Write a line for each sample of a thread's stack."""
    with path.open("w", buffering=1) as file:
        while True:
            time.sleep(INTERVAL_S)
            file.write(f"{time.time():.4f} {innermost(thread)}\n")


def innermost(thread: int) -> str:
    """Return the innermost file of our packages on a thread's stack, or a dash."""
    frame = sys._current_frames().get(thread)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in PACKAGES:
            return path.relative_to(ROOT).as_posix()
        frame = frame.f_back
    return "-"


def main() -> None:
    """Run the service with its sampler."""
    path = Path(os.environ["WORK_FOLDER"], SAMPLES)
    threading.Thread(target=sample, args=(threading.get_ident(), path), daemon=True).start()
    runpy.run_module("consumer", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
