"""`python -m producer`: reads the command line, publishes, ends with an exit status."""

import sys

from season.extras import with_extra


def entry() -> int:
    """Run as a program: with its arguments, to its exit status."""
    return with_extra("producer", _run)


def _run() -> int:
    from producer.command import main  # noqa: PLC0415 - it needs packages that may be missing
    from season.cli import run  # noqa: PLC0415 - as above

    return run(main)


if __name__ == "__main__":
    sys.exit(entry())
