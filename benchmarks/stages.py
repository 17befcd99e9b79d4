"""Where the time goes: the service's main thread, by the file that it is in, while it works off a backlog.

A sampler inside the process looks each 4 ms (`benchmarks.sampled`), so a share is true to about one percent. The
stages are the files; what each of them costs by itself is measured by `decode`, `core`, `model` and `commit`.
"""

import logging
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.contenders import SERVICE
from benchmarks.race import Run, contest, work_off
from benchmarks.sampled import SAMPLES
from benchmarks.scenarios import STAGES
from benchmarks.tables import markdown, report, say, short
from kafka_local import Broker

SAMPLED = replace(SERVICE, command=(sys.executable, "-m", "benchmarks.sampled"))
SHOWN_PERCENT = 0.5


def main() -> None:
    """Print the table."""
    logging.disable(logging.WARNING)  # of the Kafka client: a new broker is not ready at once
    report("where the time goes")
    with Broker() as broker, contest(broker.bootstrap_servers, STAGES, [SAMPLED]) as (backlog, [process]):
        process.hold()
        messages = backlog.add(STAGES.repeat_parts)
        run = work_off(process, backlog.demand, messages)
        lines = (process.setup.folder / SAMPLES).read_text().splitlines()
    say("\n".join(stages(lines, run)) + "\n")


def stages(lines: Sequence[str], run: Run) -> list[str]:
    """Return the table of one run from the sampler's lines."""
    samples = [line.split() for line in lines if line.count(" ") == 1]
    files = Counter(file for at, file in samples if run.began <= float(at) <= run.began + run.seconds)
    nanoseconds = run.seconds / run.messages * 1e9
    body, rest = [], 100.0
    for file, count in files.most_common():
        percent = 100 * count / files.total()
        if percent >= SHOWN_PERCENT:
            rest -= percent
            body.append([file, short(percent), short(nanoseconds * percent / 100)])
    body += [["the rest", short(rest), short(nanoseconds * rest / 100)]] * (rest > 0.05)
    body.append([f"the service: {run.thousands_a_second:,.0f},000 readings/s", "100", short(nanoseconds)])
    return markdown([f"Main thread, {files.total():,} samples", "%", "ns a reading"], body)
