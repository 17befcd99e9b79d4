"""`python -m tests.integration.hasty`: the service, which tells of what waits after seconds, not after a minute."""

import sys

HELD_S, STALLED_S = 3.0, 5.0


def main() -> int:
    """Run the service until a signal ends it."""
    from consumer import bootstrap, standing  # noqa: PLC0415 - so that it is patched before anything uses it

    standing.HELD_S, standing.STALLED_S = HELD_S, STALLED_S
    return bootstrap.serve()


if __name__ == "__main__":
    from season.cli import run

    sys.exit(run(main))
