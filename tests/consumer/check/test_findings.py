"""What a check found, drawn for a person and for a pipe, and the status that it comes to."""

import io

import pytest
from rich.console import Console

from consumer.check.findings import Finding, Section, draw, last_line, note, ok, refused, shown, status, wrong

_LONG = "a sentence that is longer than any terminal is wide " * 5


def drawn(finding: Finding) -> str:
    """Return a section of one finding as it stands in a pipe."""
    file = io.StringIO()
    draw(Console(file=file, highlight=False), Section("Topics", [finding]))
    return file.getvalue()


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        (shown("GRACE_PERIOD=36h"), "Topics\n           GRACE_PERIOD=36h\n"),
        (ok("it is there"), "Topics\n  ok       it is there\n"),
        (wrong("it is not", "make it"), "Topics\n  wrong    it is not\n           -> make it\n"),
        (note(_LONG), f"Topics\n  note     {_LONG}\n"),
        (refused("two\nlines \x1b[31m[red]"), "Topics\n  refused  two?lines ?[31m[red]\n"),
    ],
)
def test_a_finding_is_a_line_and_its_remedy_another(finding: Finding, text: str) -> None:
    """Not cut, not wrapped, not coloured in a pipe; and nobody's name writes a line of its own or is markup."""
    assert drawn(finding) == text


@pytest.mark.parametrize(
    ("findings", "comes_to", "says"),
    [
        ([], 0, "Nothing stands against"),
        ([ok("a"), note("b"), shown("c")], 0, "Nothing stands against"),
        ([ok("a"), refused("b")], 1, "1 thing stands against"),
        ([wrong("a"), ok("b")], 2, "1 thing stands against"),
        ([wrong("a"), refused("b"), refused("c")], 2, "3 things stand against"),
    ],
)
def test_the_status_says_who_must_act(findings: list[Finding], comes_to: int, says: str) -> None:
    """2 where a person must set something right, else 1 where the broker stands against a start."""
    sections = [Section("Topics", findings[:1]), Section("Rights", findings[1:])]
    assert status(sections) == comes_to
    assert last_line(sections).startswith(says)
