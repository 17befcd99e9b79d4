"""The service by itself: seconds from its start until it is ready, and the memory that it has resident.

What an open window and a known zone take is the growth of the process while it meets more of them: 250,000 zones
with a window each, 250,000 more, and then a second window of each zone. So what a busy process needs besides (the
client's queues, a batch that is read) is in all three sizes and does not count.
"""

import logging
import time
from dataclasses import replace

from benchmarks.contenders import SERVICE
from benchmarks.figures import spread
from benchmarks.race import contest
from benchmarks.scenarios import KNOWN_ZONES, OPEN_WINDOWS, SMALL
from benchmarks.tables import markdown, report, say, short, shown
from kafka_local import Broker
from tests.load.process import MB

STARTS = 3
IDLE_S = 1.0


def main() -> None:
    """Print the table."""
    logging.disable(logging.WARNING)  # of the Kafka client: a new broker is not ready at once
    with Broker() as broker:
        report("start and memory")
        starts = [_start(broker.bootstrap_servers) for _ in range(STARTS)]
        window, zone = _growth(broker.bootstrap_servers)
    seconds, idle = (spread(figures) for figures in zip(*starts, strict=True))
    body = [
        ["seconds until /readyz is 200", shown(seconds)],
        ["MB resident when idle", shown(idle)],
        [f"bytes per open window, {OPEN_WINDOWS.zones:,} zones", short(window)],
        [f"bytes per known zone, its name of {len(OPEN_WINDOWS.zone_name(0))} bytes included", short(zone)],
    ]
    say("\n".join(markdown(["The service by itself", "minimum / median / maximum"], body)) + "\n")


def _start(servers: str) -> tuple[float, float]:
    """Return the seconds of one start, and the MB of the process a moment later."""
    with contest(servers, replace(SMALL, warm_up_parts=0), [SERVICE]) as (_, [process]):
        process.wait_until_ready()
        seconds = time.perf_counter() - process.began_s
        time.sleep(IDLE_S)
        return seconds, process.resident_bytes() / MB


def _growth(servers: str) -> tuple[float, float]:
    """Return the bytes that an open window and a known zone take."""
    with contest(servers, OPEN_WINDOWS, [SERVICE]) as (backlog, [process]):
        sizes = []
        for _ in range(3):
            backlog.add(OPEN_WINDOWS.repeat_parts)
            process.wait_until_done(backlog.demand)
            time.sleep(IDLE_S)
            sizes.append(process.resident_bytes())
    window = (sizes[2] - sizes[1]) / OPEN_WINDOWS.zones
    return window, (sizes[1] - sizes[0]) / (OPEN_WINDOWS.zones - KNOWN_ZONES) - window
