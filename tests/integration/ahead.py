"""`python -m tests.integration.ahead`: the service as on a host whose clock is two hours ahead of the broker's."""

import os
import sys
import time
from typing import Any

from confluent_kafka import Producer

AHEAD_S = 7200


class AheadProducer(Producer):
    """The client's producer: its messages carry this host's time, which is wrong."""

    def produce(self, *message: Any, **more: Any) -> None:
        """As the client's."""
        super().produce(*message, **{**more, "timestamp": int(time.time() * 1000)})


def main() -> int:
    """Runs the service until a signal ends it."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    right = time.time
    time.time = lambda: right() + AHEAD_S
    from consumer import bootstrap  # noqa: PLC0415 - with the clock as it is now
    from season.client import producer  # noqa: PLC0415

    assert hasattr(producer, "Producer"), "producers are made elsewhere now"
    setattr(producer, "Producer", AheadProducer)  # noqa: B010 - mypy knows it as not exported
    return bootstrap.serve()


if __name__ == "__main__":
    from season.cli import run

    sys.exit(run(main))
