"""Says which extra to install where a package is missing; imports none of them itself."""

import sys
from collections.abc import Callable

WRONG = 2
_OURS = {"season", "consumer", "producer", "training"}


def with_extra(extra: str, start: Callable[[], int]) -> int:
    """Start a program and return its exit status: 2, with a sentence, where a package of its extra is missing."""
    try:
        return start()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or package in _OURS:
            raise
        sys.stderr.write(
            f"the Python package {package!r} is not installed: this program needs season-stream with its extra "
            f"{extra!r} (pip install 'season-stream[{extra}]', in a checkout pip install '.[{extra}]')\n"
        )
        return WRONG
