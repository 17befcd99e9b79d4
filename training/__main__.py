"""`python -m training`: reads the command line, runs one command, ends with an exit status."""

import sys

from season.extras import with_extra


def entry() -> int:
    """Run as a program: with its arguments, to its exit status."""
    return with_extra("training", _run)


def _run() -> int:
    from season.cli import run  # noqa: PLC0415 - it needs packages that may be missing
    from training.command_line import main  # noqa: PLC0415 - as above

    return run(lambda: main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(entry())
