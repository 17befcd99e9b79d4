"""What a check finds, and how it is drawn: a line for each finding, with its remedy below."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rich.console import Console
from rich.text import Text

from season.cli import REFUSED, WRONG

_INDENT = " " * 11


class Level(Enum):
    """How much a finding matters."""

    SHOWN = ""
    """It is so, and neither right nor wrong."""
    OK = "ok"
    NOTE = "note"
    REFUSED = "refused"
    """The broker does not answer, or denies something: status 1."""
    WRONG = "wrong"
    """A person must set something right (a setting, a topic, the model): status 2."""


_STYLES = {Level.OK: "green", Level.NOTE: "yellow", Level.REFUSED: "bold red", Level.WRONG: "bold red"}
_STATUS = {Level.REFUSED: REFUSED, Level.WRONG: WRONG}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, in a sentence; `remedy` says what to do."""

    level: Level
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Section:
    """Findings on one subject, in the order in which they are shown."""

    title: str
    findings: Sequence[Finding]


def shown(text: str) -> Finding:
    """Return what a person wants to see, such as a setting in force."""
    return Finding(Level.SHOWN, text)


def ok(text: str) -> Finding:
    """Return what is as it should be."""
    return Finding(Level.OK, text)


def note(text: str, remedy: str = "") -> Finding:
    """Return what a person should know, though the service starts."""
    return Finding(Level.NOTE, text, remedy)


def refused(text: str, remedy: str = "") -> Finding:
    """Return what the broker does not do, or does not allow."""
    return Finding(Level.REFUSED, text, remedy)


def wrong(text: str, remedy: str = "") -> Finding:
    """Return what must be set right: a setting, a topic, the model."""
    return Finding(Level.WRONG, text, remedy)


def status(sections: Sequence[Section]) -> int:
    """Return the exit status: 2 where something must be set right, else 1 where the broker stands against it."""
    return max((_STATUS.get(finding.level, 0) for section in sections for finding in section.findings), default=0)


def draw(console: Console, section: Section) -> None:
    """Write a section; nothing is cut or wrapped, so that it reads the same in a pipe."""
    console.print(Text(section.title, style="bold"), soft_wrap=True)
    for finding in section.findings:
        word = Text(f"  {finding.level.value:<9}", style=_STYLES.get(finding.level, ""))
        console.print(word + Text(_printable(finding.text)), soft_wrap=True)
        if finding.remedy:
            console.print(Text(f"{_INDENT}-> {_printable(finding.remedy)}", style="dim"), soft_wrap=True)


def last_line(sections: Sequence[Section]) -> str:
    """Return the sentence that sums all up."""
    count = sum(finding.level in _STATUS for section in sections for finding in section.findings)
    if count == 0:
        return "Nothing stands against a start of the service."
    return f"{count} {'thing stands' if count == 1 else 'things stand'} against a start of the service."


def _printable(text: str) -> str:
    """Keep what others named (a client, a topic) from writing lines of its own."""
    return "".join(character if character.isprintable() else "?" for character in text)
