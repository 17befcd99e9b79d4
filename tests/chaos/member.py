"""`python -m tests.chaos.member`: the service as `python -m consumer` runs it, with fault points, for these tests."""

import os
import signal
import sys
from pathlib import Path

FAULTS = "CHAOS_FAULTS"
"""The path of the member's fault files, less their endings: `.armed` and `.fired`."""
MUTATION = "CHAOS_MUTATION"
"""The safety that is taken out, by its name in `mutations`; none where it is not set."""


def main() -> int:
    """Runs the service until a signal, or a fault, ends it."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    from consumer import bootstrap  # noqa: PLC0415 - after the signals are heard
    from tests.chaos import faults, mutations  # noqa: PLC0415

    path = Path(os.environ[FAULTS])
    stranger = faults.stranger_of(os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["CONSUMER_GROUP"])
    faults.install(faults.Faults(path.with_suffix(".armed"), path.with_suffix(".fired")), stranger)
    if name := os.environ.get(MUTATION):
        mutations.MUTATIONS[name].take_out()
    return bootstrap.serve()


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    from season.cli import run

    sys.exit(run(main))
