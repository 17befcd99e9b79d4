"""Writes the demo's steps to the terminal, each with the time that it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is done before it is done, and how long it took after."""
    say(f"-- {text}")
    began = time.monotonic()
    yield
    say(f"   done in {time.monotonic() - began:.1f} s")
