"""`python -m producer`: reads the command line, publishes, ends with an exit status."""

import sys

from producer.command import main
from season.cli import run

if __name__ == "__main__":
    sys.exit(run(main))
