"""`python -m consumer`, the service, and `python -m consumer watch`, a subscriber for a person."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Runs the service until a signal ends it, or hands over to `watch`. Each loads only what it needs itself."""
    if arguments and arguments[0] == "watch":
        from consumer import watch  # noqa: PLC0415 - see above

        return watch.main(arguments[1:])
    from season import cli  # noqa: PLC0415 - see above

    parser = argparse.ArgumentParser(
        prog="python -m consumer",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Reads readings, scores each zone's day, publishes predictions, exactly once.\n"
        "`python -m consumer watch` shows the predictions to a person (see its --help).\n\n"
        "All configuration comes from the environment; README.md lists the settings.",
        epilog=cli.KAFKA_HELP,
    )
    parser.parse_args(arguments)
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime reports its starts to its maker else
    from consumer import bootstrap  # noqa: PLC0415 - see above
    from consumer.adapters import memory  # noqa: PLC0415 - see above

    memory.give_back()
    return bootstrap.serve()


if __name__ == "__main__":
    if sys.argv[1:2] != ["watch"]:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))  # while the imports run, for half a second
    from season.cli import run

    sys.exit(run(lambda: main(sys.argv[1:])))
