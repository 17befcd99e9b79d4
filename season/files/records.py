"""The results of reading a file: readings, bad rows, and a tally."""

from dataclasses import dataclass
from typing import NamedTuple

STDIN = "-"


class FileReading(NamedTuple):
    """The demand of one zone in the hour that starts at `instant` (epoch seconds).

    A named tuple, since there is one for each row: a frozen dataclass takes four times as long to make.
    """

    zone: str
    instant: int
    demand_mw: float


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read, or an hour that lacks a step; `str()` is the sentence for a person."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{shown(self.file)}:{self.line}: {self.reason}"


@dataclass
class RowTally:
    """What a reader has seen so far, updated while it reads: for the progress and the summary.

    `rows` are all rows but header and blank lines, `outside` those of them before --since or from --until on.
    """

    rows: int = 0
    outside: int = 0
    bytes: int = 0


def shown(file: str) -> str:
    """Return a file's name as a sentence says it."""
    return "standard input" if file == STDIN else file


def quoted(value: object, longest: int = 40) -> str:
    """Return a piece of a file as a sentence can quote it: printable, and cut after `longest` characters."""
    text = value if isinstance(value, str) else repr(value)
    cut = text if len(text) <= longest else text[:longest] + "…"
    return repr(cut) if isinstance(value, str) else cut
