"""The rule of windows as loops: one reading after the other, in the order in which the interface states it.

Everything here is compiled, and changes the arrays of `columns.py` in place. Each value that is overwritten goes
into the journal (`cells`, `links`, `scored` and `times`, whose lengths are in `counts`): `rollback` restores it.
"""

import numpy as np

from consumer.compiled import compiled
from consumer.core.columns import (
    CELLS,
    ENDED,
    FREE,
    I32,
    LINKS,
    OPEN,
    SCORINGS,
    SPARE,
    TIMES,
    USED,
    Happened,
    Journal,
    Records,
    Tables,
)
from season import steps as season_steps
from season.calendar import I64
from season.steps import F64, STEPS

NEW, CORRECTION, REPEAT, LATE = 0, 1, 2, 3
"""The fates of a reading."""

SCORED, FLAT, UNSCORED = 0, 1, 2
"""The indices of `event_counts`: how many windows were scored, made constant by a correction, and ended unscored."""

by_clock = compiled(season_steps.by_clock)


@compiled
def read(
    readings: Records, first: int, clocks: I64, grace: int, number: int, tables: Tables, journal: Journal,
    happened: Happened,
) -> int:  # fmt: skip
    """Apply readings from `first` on; return the index of one for which no row is free, or how many there are."""
    zones, windows, values, free = tables
    counts, cells, links, scored, times = journal
    fates, event_counts, scorings, hours, steps, flat, ended = happened
    for i in range(first, len(readings)):
        reading = readings[i]
        zone, demand = reading["zone"], reading["demand"]
        # A reading is late when its window has ended.
        if reading["end"] <= zones[zone]["watermark"]:
            fates[i] = LATE
            continue
        # A window exists from its first accepted reading.
        row = find(zones, windows, zone, reading["day"])
        if row < 0:
            if counts[SPARE] == 0:
                return i
            row = open_window(zones, windows, values, free, counts, links, reading)
        # A reading that is equal to the one in force is a repeat and changes nothing.
        standing = values[row, reading["hour_index"]]
        if standing == demand:
            fates[i] = REPEAT
        else:
            # Else it is new, or a correction, and in force from now on.
            fates[i] = NEW if np.isnan(standing) else CORRECTION
            write(windows, values, counts, cells, row, reading["hour_index"], demand)
            # A window is due once its last hour is there, and at each correction from then on.
            if windows[row]["present"] == reading["hours"]:
                at = event_counts[SCORED]
                copy_steps(values, row, reading, clocks, hours, steps, at)
                if not constant(steps, at):
                    note_scoring(windows, counts, scored, event_counts, scorings, row, i)
                elif windows[row]["revision"] > 0:
                    note(event_counts, FLAT, flat, row, i)
        # Stream time is the latest instant accepted; windows that end a grace period before it or earlier end now.
        if reading["instant"] > zones[zone]["stream"]:
            move(zones, counts, times, zone, number, reading["instant"], grace)
            end_windows(zones, windows, counts, links, zone, event_counts, ended, i)
    return len(readings)


@compiled
def advance(
    moved: I64, stream: I64, grace: int, number: int, tables: Tables, journal: Journal, happened: Happened,
) -> None:  # fmt: skip
    """Move the stream times of the zones `moved` [m] to `stream` [m] without a reading, and end windows by them."""
    zones, windows, _, _ = tables
    counts, _, links, _, times = journal
    _, event_counts, _, _, _, _, ended = happened
    for i in range(len(moved)):
        zone = moved[i]
        if stream[i] > zones[zone]["stream"] or stream[i] - grace > zones[zone]["watermark"]:
            move(zones, counts, times, zone, number, stream[i], grace)
            end_windows(zones, windows, counts, links, zone, event_counts, ended, -1)


@compiled
def find(zones: Records, windows: Records, zone: int, day: int) -> int:
    """Return the row of an open window, -1 where there is none; from the newest on, which most readings are of."""
    row = zones[zone]["newest"]
    while row >= 0 and windows[row]["day"] > day:
        row = windows[row]["older"]
    return row if row >= 0 and windows[row]["day"] == day else -1


@compiled
def open_window(
    zones: Records, windows: Records, values: F64, free: I32, counts: I64, links: I32, reading: np.void,
) -> int:  # fmt: skip
    """Open the window of a reading, none of whose hours is there yet, and return its row."""
    row = fill_row(windows, values, free, counts, reading["zone"], reading["day"], reading["end"])
    link(zones, windows, row)
    links[counts[LINKS]] = row
    counts[LINKS] += 1
    return row


@compiled
def write(
    windows: Records, values: F64, counts: I64, cells: Records, row: int, hour_index: int, demand: float
) -> None:
    """Set the value of an hour."""
    cell = cells[counts[CELLS]]
    cell["row"], cell["hour_index"], cell["before"] = row, hour_index, values[row, hour_index]
    counts[CELLS] += 1
    if np.isnan(values[row, hour_index]):
        windows[row]["present"] += 1
    values[row, hour_index] = demand


@compiled
def copy_steps(values: F64, row: int, reading: np.void, clocks: I64, hours: F64, steps: F64, at: int) -> None:
    """Copy the hours of a complete window, and their 24 steps."""
    for k in range(values.shape[1]):
        hours[at, k] = values[row, k]
    if reading["clock"] < 0:
        for k in range(STEPS):
            steps[at, k] = values[row, k]
    else:
        by_clock(values[row], clocks[reading["clock"], : reading["hours"]], steps[at])


@compiled
def constant(steps: F64, at: int) -> bool:
    """Return whether the 24 steps of row `at` are all equal as 32-bit floats."""
    first = np.float32(steps[at, 0])
    for k in range(1, STEPS):
        if np.float32(steps[at, k]) != first:
            return False
    return True


@compiled
def note_scoring(
    windows: Records, counts: I64, scored: I32, event_counts: I64, scorings: Records, row: int, cause: int,
) -> None:  # fmt: skip
    """Note that a window is to be scored, with its revision, and raise the revision for the next time."""
    scoring = scorings[event_counts[SCORED]]
    scoring["cause"], scoring["row"], scoring["revision"] = cause, row, windows[row]["revision"]
    event_counts[SCORED] += 1
    windows[row]["revision"] += 1
    scored[counts[SCORINGS]] = row
    counts[SCORINGS] += 1


@compiled
def note(event_counts: I64, kind: int, rows: Records, row: int, cause: int) -> None:
    """Note an event of this `kind` of a window."""
    rows[event_counts[kind]]["cause"], rows[event_counts[kind]]["row"] = cause, row
    event_counts[kind] += 1


@compiled
def move(zones: Records, counts: I64, times: Records, zone: int, number: int, stream: int, grace: int) -> None:
    """Move a zone's stream time and its watermark, neither of which goes back."""
    here = zones[zone]
    if here["touched"] != number:  # the journal needs the times of before the transaction once
        here["touched"] = number
        before = times[counts[TIMES]]
        before["zone"], before["stream"], before["watermark"] = zone, here["stream"], here["watermark"]
        counts[TIMES] += 1
    here["stream"] = max(here["stream"], stream)
    here["watermark"] = max(here["watermark"], stream - grace)


@compiled
def end_windows(
    zones: Records, windows: Records, counts: I64, links: I32, zone: int, event_counts: I64, ended: Records,
    cause: int,
) -> None:  # fmt: skip
    """End the zone's windows that the watermark has reached; note those that were never scored."""
    row = zones[zone]["oldest"]
    while row >= 0 and windows[row]["end"] <= zones[zone]["watermark"]:
        newer = windows[row]["newer"]
        unlink(zones, windows, row)
        windows[row]["phase"] = ENDED
        links[counts[LINKS]] = -1 - row  # below 0 for a window that ended, row 0 included
        counts[LINKS] += 1
        if windows[row]["revision"] == 0:
            note(event_counts, UNSCORED, ended, row, cause)
        row = newer


@compiled
def fill_row(windows: Records, values: F64, free: I32, counts: I64, zone: int, day: int, end: int) -> int:
    """Fill a free row with a window that has no hours yet, and return it."""
    counts[SPARE] -= 1
    row: int = free[counts[SPARE]]
    counts[USED] = max(counts[USED], row + 1)
    window = windows[row]
    window["phase"], window["zone"], window["day"], window["end"] = OPEN, zone, day, end
    window["present"], window["revision"] = 0, 0
    for k in range(values.shape[1]):
        values[row, k] = np.nan
    return row


@compiled
def free_row(windows: Records, free: I32, counts: I64, row: int) -> None:
    """Put a row back on the stack of free ones."""
    windows[row]["phase"] = FREE
    free[counts[SPARE]] = row
    counts[SPARE] += 1


@compiled
def link(zones: Records, windows: Records, row: int) -> None:
    """Put a row into its zone's chain of open windows, which goes by day."""
    zone, day = windows[row]["zone"], windows[row]["day"]
    older, newer = zones[zone]["newest"], -1
    while older >= 0 and windows[older]["day"] > day:
        older, newer = windows[older]["older"], older
    connect(zones, windows, zone, older, row)
    connect(zones, windows, zone, row, newer)


@compiled
def unlink(zones: Records, windows: Records, row: int) -> None:
    """Take a row out of its zone's chain of open windows."""
    connect(zones, windows, windows[row]["zone"], windows[row]["older"], windows[row]["newer"])


@compiled
def connect(zones: Records, windows: Records, zone: int, older: int, newer: int) -> None:
    """Let two rows be neighbours in a zone's chain; -1 in the place of one makes the other the chain's end."""
    if older < 0:
        zones[zone]["oldest"] = newer
    else:
        windows[older]["newer"] = newer
    if newer < 0:
        zones[zone]["newest"] = older
    else:
        windows[newer]["older"] = older


@compiled
def commit(tables: Tables, journal: Journal) -> None:
    """Commit what the transaction changed: free the rows of the windows that it ended, and empty the journal."""
    _, windows, _, free = tables
    counts, _, links, _, _ = journal
    for at in range(counts[LINKS]):
        if links[at] < 0:  # -1 - row of a window that ended
            free_row(windows, free, counts, -1 - links[at])
    counts[:SPARE] = 0  # the lengths of the journal's lists; free rows stay as they are


@compiled
def rollback(tables: Tables, journal: Journal) -> None:
    """Undo what the transaction changed, the latest change first, and empty the journal."""
    zones, windows, values, free = tables
    counts, cells, links, scored, times = journal
    for at in range(counts[CELLS] - 1, -1, -1):
        row = cells[at]["row"]
        values[row, cells[at]["hour_index"]] = cells[at]["before"]
        if np.isnan(cells[at]["before"]):
            windows[row]["present"] -= 1
    for at in range(counts[SCORINGS]):
        windows[scored[at]]["revision"] -= 1
    for at in range(counts[LINKS] - 1, -1, -1):
        row = links[at]
        if row < 0:
            windows[-1 - row]["phase"] = OPEN
            link(zones, windows, -1 - row)
        else:
            unlink(zones, windows, row)
            free_row(windows, free, counts, row)
    for at in range(counts[TIMES]):
        zone = zones[times[at]["zone"]]
        zone["stream"], zone["watermark"], zone["touched"] = times[at]["stream"], times[at]["watermark"], -1
    counts[:SPARE] = 0  # the lengths of the journal's lists; free rows stay as they are
