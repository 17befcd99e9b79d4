"""Loops between the tables and the changelog: they write columns of changes into the tables, and read them out.

Everything here is compiled. What is restored from a changelog is committed already, so it needs no journal.
"""

import numpy as np

from consumer.compiled import compiled
from consumer.core.columns import I32, NEVER, OPEN, Records, Tables
from consumer.core.rule import fill_row, find, free_row, link, unlink
from season.calendar import I64
from season.steps import F64


@compiled
def set_times(tables: Tables, counts: I64, moved: I64, stream: I64, watermark: I64) -> None:
    """Set the times of the zones `moved` [m], and end the windows that their watermarks have reached."""
    zones, windows, _, free = tables
    for i in range(len(moved)):
        zone = zones[moved[i]]
        zone["stream"], zone["watermark"] = stream[i], watermark[i]
        row = zone["oldest"]
        while row >= 0 and windows[row]["end"] <= watermark[i]:
            newer = windows[row]["newer"]
            unlink(zones, windows, row)
            free_row(windows, free, counts, row)
            row = newer


@compiled
def set_cells(tables: Tables, counts: I64, zone: I64, day: I64, end: I64, hour_index: I64, value: F64) -> None:
    """Write hours [c] of windows; those of windows that the watermark has reached are ignored."""
    zones, windows, values, free = tables
    for i in range(len(zone)):
        if end[i] > zones[zone[i]]["watermark"]:
            row = find(zones, windows, zone[i], day[i])
            if row < 0:
                row = fill_row(windows, values, free, counts, zone[i], day[i], end[i])
                link(zones, windows, row)
            if np.isnan(values[row, hour_index[i]]):
                windows[row]["present"] += 1
            values[row, hour_index[i]] = value[i]


@compiled
def set_windows(tables: Tables, counts: I64, zone: I64, day: I64, end: I64, hours: F64) -> None:
    """Open windows [w] with all their hours [w, width], NaN for a missing one."""
    zones, windows, values, free = tables
    for i in range(len(zone)):
        row = fill_row(windows, values, free, counts, zone[i], day[i], end[i])
        link(zones, windows, row)
        for k in range(hours.shape[1]):
            values[row, k] = hours[i, k]
            windows[row]["present"] += not np.isnan(hours[i, k])


@compiled
def set_revisions(tables: Tables, zone: I64, day: I64, revision: I64) -> None:
    """Set how often windows [w] were scored, where they are still open."""
    zones, windows, _, _ = tables
    for i in range(len(zone)):
        row = find(zones, windows, zone[i], day[i])
        if row >= 0:
            windows[row]["revision"] = revision[i]


@compiled
def forget(tables: Tables, counts: I64, first: int, end: int) -> None:
    """Forget the times and the windows of a range of zones."""
    zones, windows, _, free = tables
    for number in range(first, end):
        zone = zones[number]
        row = zone["oldest"]
        while row >= 0:
            free_row(windows, free, counts, row)
            row = windows[row]["newer"]
        zone["stream"], zone["watermark"], zone["oldest"], zone["newest"] = NEVER, NEVER, -1, -1


@compiled
def gather_cells(
    windows: Records, values: F64, cells: Records, count: int, zone: I64, day: I64, hour_index: I64, value: F64
) -> int:
    """Write the values now in the journal's first `count` cells; return how many of them have an open window."""
    found = 0
    for i in range(count):
        window = windows[cells[i]["row"]]
        if window["phase"] == OPEN:
            zone[found], day[found], hour_index[found] = window["zone"], window["day"], cells[i]["hour_index"]
            value[found] = values[cells[i]["row"], cells[i]["hour_index"]]
            found += 1
    return found


@compiled
def gather_times(zones: Records, times: Records, moved: I64, stream: I64, watermark: I64) -> None:
    """Write the zones `moved` [m] whose times the journal has, and their times as they are now."""
    for i in range(len(moved)):
        moved[i] = times[i]["zone"]
        stream[i], watermark[i] = zones[moved[i]]["stream"], zones[moved[i]]["watermark"]


@compiled
def rows_of(tables: Tables, wanted: I64, rows: I32) -> int:
    """Write the rows of the open windows of zones `wanted`, zone by zone and by day; return their number."""
    zones, windows, _, _ = tables
    count = 0
    for zone in wanted:
        row = zones[zone]["oldest"]
        while row >= 0:
            rows[count] = row
            count += 1
            row = windows[row]["newer"]
    return count


@compiled
def count_windows(tables: Tables, first: int, counts: I64) -> None:
    """Write how many open windows each zone from `first` on has into `counts` [z]."""
    zones, windows, _, _ = tables
    for i in range(len(counts)):
        row = zones[first + i]["oldest"]
        while row >= 0:
            counts[i] += 1
            row = windows[row]["newer"]
