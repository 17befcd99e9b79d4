"""How every program ends: a sentence on standard error and an exit status, no traceback for a user's slip."""

import os
import sys
from collections.abc import Callable

from season.settings import RefusedError, SettingError

KAFKA_HELP = """\
Kafka is reached as the environment says: KAFKA_BOOTSTRAP_SERVERS (localhost:9092 by default), and any other
KAFKA_A_B is handed to the client as its property a.b (KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_USERNAME, ...)."""
"""For the epilog of `--help`; use argparse.RawDescriptionHelpFormatter, which keeps its lines."""

REFUSED, WRONG, INTERRUPTED, NO_READER = 1, 2, 130, 141


class StoppedError(Exception):
    """The program was asked to stop while it waited for the broker; nothing is in hand. Status 0."""


def run(main: Callable[[], int | None]) -> int:
    """Run a program's main and return its exit status: `sys.exit(run(main))`.

    SettingError: 2. RefusedError: 1. StoppedError: 0. Ctrl-C: 130. A closed pipe on standard output
    (`... | head`): 141, in silence, as a shell reports SIGPIPE. Whatever else is raised is a bug and goes on.
    """
    try:
        status = main() or 0
        sys.stdout.flush()
    except SettingError as error:
        return _say(str(error), WRONG)
    except RefusedError as error:
        return _say(str(error), REFUSED)
    except StoppedError:
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes standard output once more at its end: give it a place to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_READER
    return status


def _say(sentence: str, status: int) -> int:
    sys.stderr.write(sentence + "\n")
    return status
