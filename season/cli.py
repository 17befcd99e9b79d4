"""What every program's command line has, and how it ends: a sentence and a status, no traceback for a user's slip."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from season.installed import version
from season.settings import RefusedError, SettingError

REFUSED, WRONG, INTERRUPTED, NO_READER = 1, 2, 130, 141


class StoppedError(Exception):
    """The program was asked to stop while it waited for the broker; nothing was left unfinished. Status 0."""


def run(main: Callable[[], int | None]) -> int:
    """Run a program's main and return its exit status: `sys.exit(run(main))`.

    SettingError: 2. RefusedError: 1. StoppedError: 0. Ctrl-C: 130. A closed pipe on standard output
    (`... | head`): 141, in silence, as a shell reports SIGPIPE. Any other exception is a bug and is raised on.
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
        # The interpreter flushes standard output once more at its end: let that go to /dev/null.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_READER
    return status


def called(module: str, script: str) -> str:
    """Return how the program was called: by the script that its package installs, or as `python -m MODULE`."""
    return script if Path(sys.argv[0]).name == script else f"python -m {module}"


def add_version(parser: argparse.ArgumentParser, name: str) -> None:
    """Give a command line its `--version`: the program's name, and the version of the whole."""
    parser.add_argument("--version", action=_Version, nargs=0, const=name, help="print name and version, and end")


class _Version(argparse.Action):
    """Looks the version up when it is asked for, not at each start."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        sys.stdout.write(f"{self.const} {version()}\n")
        parser.exit()


def _say(sentence: str, status: int) -> int:
    sys.stderr.write(sentence + "\n")
    return status
