"""`python -m demo`: runs the demo and ends with its exit status."""

import sys

from demo.command import main
from season.cli import run

if __name__ == "__main__":
    sys.exit(run(main))
