"""Tables of measured figures, in Markdown, so that docs/performance.md shows what the terminal showed."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import Spread, ratios, spread


@dataclass(frozen=True)
class TableRow:
    """The runs of each contender at one task, ours first."""

    name: str
    runs: Sequence[Sequence[float]]


def table(title: str, contenders: Sequence[str], rows: Sequence[TableRow]) -> None:
    """Print minimum / median / maximum of each contender's runs, and of ours / other pair by pair."""
    ours, *others = contenders
    head = [title, *contenders, *(f"{ours} / {other}" for other in others)]
    body = []
    for row in rows:
        ours_runs, *other_runs = row.runs
        spreads = [spread(runs) for runs in row.runs] + [spread(ratios(ours_runs, runs)) for runs in other_runs]
        body.append([row.name, *map(shown, spreads)])
    say("\n".join(markdown(head, body)) + "\n")


def markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table whose columns stand under each other, all but the first to the right."""
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        for row in [head, *body]
    ]
    return [f"| {' | '.join(cells)} |" for cells in [lines[0], rule, *lines[1:]]]


def shown(runs: Spread) -> str:
    """Return minimum / median / maximum as a cell shows them."""
    return " / ".join(map(short, (runs.minimum, runs.median, runs.maximum)))


def short(figure: float) -> str:
    """Return a figure with three digits that mean something."""
    digits = 3 if figure < 0.1 else 2 if figure < 10 else 1 if figure < 100 else 0
    return f"{figure:,.{digits}f}"


def say(text: str) -> None:
    """Print a line to standard output, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def report(text: str) -> None:
    """Print a line of progress to standard error, so that standard output holds the tables alone."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
