"""`python -m consumer`, the service; `… watch`, a subscriber for a person; `… check`, a look before a start."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from season.extras import with_extra


def main(arguments: Sequence[str]) -> int:
    """Run the service until a signal ends it, or hand over to `watch` or `check`. Each loads only what it needs."""
    if arguments and arguments[0] == "watch":
        from consumer import watch  # noqa: PLC0415 - see above

        return watch.main(arguments[1:])
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime reports its starts to its maker else
    if arguments and arguments[0] == "check":
        from consumer import check  # noqa: PLC0415 - see above

        return check.main(arguments[1:])
    parser().parse_args(arguments)
    from consumer import bootstrap  # noqa: PLC0415 - see above
    from consumer.adapters import memory  # noqa: PLC0415 - see above

    memory.give_back()
    return bootstrap.serve()


def parser() -> argparse.ArgumentParser:
    """Return the command line of the service, with its help."""
    from consumer.settings import Settings  # noqa: PLC0415 - see above
    from season import catalogue, cli  # noqa: PLC0415 - see above

    name = cli.called("consumer", "season-consumer")
    made = argparse.ArgumentParser(
        prog=name,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Reads readings, scores each zone's day, publishes predictions, exactly once.\n"
        f"`{name} watch` shows the predictions to a person, `{name} check` says what stands\n"
        "against a start (see their --help).",
        epilog=catalogue.help_text([*catalogue.KAFKA, *catalogue.settings_of(Settings)]),
    )
    cli.add_version(made, "season-consumer")
    return made


def entry() -> int:
    """Run as a program: with its arguments, to its exit status."""
    if sys.argv[1:2] not in (["watch"], ["check"]):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))  # while the imports run, for half a second
    return with_extra("consumer", _run)


def _run() -> int:
    from season.cli import run  # noqa: PLC0415 - it needs packages that may be missing

    return run(lambda: main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(entry())
