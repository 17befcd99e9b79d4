"""Files of readings, as people have them, become zones, instants and megawatts; producer and trainer read alike.

`read` streams one file, CSV or JSON lines, and gives each row as a `FileReading` or, where it cannot be read,
as a `BadRow` that says why. `add_options`, `given` and `options` are the command line's side of it.
"""

from season.files.options import FileOptions, add_options, given, options
from season.files.reader import check, read
from season.files.records import STDIN, BadRow, FileReading, RowTally

__all__ = [
    "STDIN",
    "BadRow",
    "FileOptions",
    "FileReading",
    "RowTally",
    "add_options",
    "check",
    "given",
    "options",
    "read",
]
