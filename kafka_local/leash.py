"""Child processes that end when the program that started them does, whatever ends it."""

import shutil
from collections.abc import Sequence


def leashed(command: Sequence[str]) -> list[str]:
    """Return the command such that Linux sends it SIGTERM when its parent ends, where util-linux is installed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else list(command)
