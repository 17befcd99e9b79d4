"""Files for the tests of their reader, and what they become."""

import argparse
from pathlib import Path

from season import instants
from season.files import BadRow, FileOptions, FileReading, add_options, options, read

HOUR = 3600


def parsed(*arguments: str) -> FileOptions:
    """The options that a command line with these arguments has."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return options(parser.parse_args(arguments))


def write(path: Path, text: str | bytes) -> str:
    """A file with this text, and its name."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def rows(tmp_path: Path, text: str | bytes, *arguments: str) -> list[FileReading | BadRow]:
    """What a file with this text becomes under these arguments."""
    return list(read(write(tmp_path / "readings.csv", text), parsed(*arguments)))


def hours(items: list[FileReading | BadRow]) -> list[tuple[str, float]]:
    """Readings as (instant, demand); bad rows fail the test."""
    assert [str(item) for item in items if isinstance(item, BadRow)] == []
    return [(instants.format(item.instant), item.demand_mw) for item in items if isinstance(item, FileReading)]


def reasons(items: list[FileReading | BadRow]) -> list[tuple[int, str]]:
    """The bad rows as (line, reason)."""
    return [(item.line, item.reason) for item in items if isinstance(item, BadRow)]
