"""Shows the progress of a loop: a bar on a terminal; elsewhere a plain line when it is done."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

import rich.progress
from rich.console import Console

T = TypeVar("T")


def progress(items: Sequence[T], what: str) -> Iterator[T]:
    """Yield the items in order, and show on standard error how far it is."""
    console = Console(stderr=True)
    if console.is_terminal:
        yield from rich.progress.track(items, what, console=console)
        return
    start = time.monotonic()
    yield from items
    sys.stderr.write(f"{what}: {len(items)} in {time.monotonic() - start:.1f} s\n")
