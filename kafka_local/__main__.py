"""`python -m kafka_local`: a broker to try the programs on by hand, until Ctrl-C."""

import argparse
import signal
import sys
from pathlib import Path

from kafka_local.broker import Broker, BrokerError
from kafka_local.jars import KAFKA_VERSION, JarError


def main() -> int:
    """Run a broker in the foreground. Status 2 when it cannot start, the port taken among the reasons."""
    parser = argparse.ArgumentParser(
        prog="python -m kafka_local", description=f"Run Apache Kafka {KAFKA_VERSION} on this machine until Ctrl-C."
    )
    parser.add_argument("--port", type=int, default=9092, help="where it listens on 127.0.0.1 (9092)")
    parser.add_argument("--folder", type=Path, help="keeps its data and its log; by default they go at the end")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    broker = Broker(options.folder and options.folder.absolute(), port=options.port, say=_say)
    try:
        with broker:
            _say(f"Apache Kafka {KAFKA_VERSION} listens on {broker.bootstrap_servers}; its log is {broker.log}")
            signal.pause()
    except (BrokerError, JarError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
