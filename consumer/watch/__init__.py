"""`python -m consumer watch`: shows the predictions topic to a person, one line a window, or passes it on as JSON."""

from consumer.watch.command import main
from consumer.watch.line import render

__all__ = ["main", "render"]
