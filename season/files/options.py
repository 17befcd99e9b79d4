"""The options of reading a file of readings, which producer and trainer share, checked once."""

import argparse
import re
from dataclasses import dataclass

import numpy as np

from season import instants
from season.calendar import DAY, HOUR, Calendar
from season.files.clock import calendar
from season.messages import MAX_ZONE_BYTES
from season.settings import SettingError, seconds


@dataclass(frozen=True)
class FileOptions:
    """How the rows of a file become readings; the defaults read what `python -m producer` reads unasked.

    `decimal` None is the dot, and then a text that could be a dot's or a comma's is refused. `step` is in
    seconds; `since` (included) and `until` (excluded) are epoch seconds.
    """

    zone: str | None = None
    zone_column: str = "zone"
    time_column: str = "timestamp"
    demand_column: str = "demand_mw"
    delimiter: str = ","
    decimal: str | None = None
    time_zone: str | None = None
    stamps: str = "start"
    step: int = HOUR
    since: int | None = None
    until: int | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the reader; `parser.set_defaults` may change their defaults."""
    group = parser.add_argument_group("how the file is read")
    zone = group.add_mutually_exclusive_group()
    zone.add_argument("--zone", help="the zone of every row")
    zone.add_argument("--zone-column", default="zone", help="the column with the zone (default: %(default)s)")
    group.add_argument("--time-column", default="timestamp", help="(default: %(default)s)")
    group.add_argument("--demand-column", default="demand_mw", help="in megawatts (default: %(default)s)")
    group.add_argument(
        "--delimiter", default=",", help=r"between a CSV's columns; \t is a tab (default: %(default)s)"
    )
    group.add_argument("--decimal", help="the decimal mark in a CSV, . or , (default: .)")
    group.add_argument("--time-zone", help="of stamps without an offset, such as Europe/Rome")
    group.add_argument(
        "--stamps", default="start", choices=["start", "end"], help="what a stamp names of its step (default: start)"
    )
    group.add_argument(
        "--step", default="1h", help="between rows; those of a shorter one, such as 15m, are averaged to hours"
    )
    group.add_argument("--since", help="the first hour: an instant such as 2021-06-01T13:00:00Z, or a date")
    group.add_argument("--until", help="the hour to stop before: an instant or a date")


def given(args: argparse.Namespace) -> dict[str, str]:
    """Return the reader's options on a command line that are not at their default, by their names in `args`."""
    parser = argparse.ArgumentParser(add_help=False)
    add_options(parser)
    usual = vars(parser.parse_args([]))
    return {name: getattr(args, name) for name, value in usual.items() if getattr(args, name) != value}


def options(args: argparse.Namespace) -> FileOptions:
    """Return the checked options of a command line. Raises `SettingError` for the first that is wrong."""
    local = _calendar(args.time_zone)
    since, until = _instant("--since", args.since, local), _instant("--until", args.until, local)
    if since is not None and until is not None and since > until:
        raise SettingError(f"--since {args.since} is later than --until {args.until}: it must not be")
    return FileOptions(
        zone=_zone(args.zone),
        zone_column=args.zone_column,
        time_column=args.time_column,
        demand_column=args.demand_column,
        delimiter=_delimiter(args.delimiter),
        decimal=_decimal(args.decimal),
        time_zone=args.time_zone,
        stamps=args.stamps,
        step=_step(args.step),
        since=since,
        until=until,
    )


def _calendar(time_zone: str | None) -> Calendar | None:
    try:
        return None if time_zone is None else calendar(time_zone)
    except ValueError as error:
        raise SettingError(f"--time-zone: {error}") from None


def _zone(zone: str | None) -> str | None:
    if zone is not None:
        size = len(zone.encode(errors="surrogateescape"))
        if not 0 < size <= MAX_ZONE_BYTES or any("\ud800" <= char <= "\udfff" for char in zone):
            raise SettingError(f"--zone {zone!r}: 1 to {MAX_ZONE_BYTES} bytes of UTF-8 are allowed")
    return zone


def _delimiter(text: str) -> str:
    delimiter = "\t" if text == r"\t" else text
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise SettingError(rf"--delimiter {text!r}: one character is allowed, no quote or line end; \t is a tab")
    return delimiter


def _decimal(text: str | None) -> str | None:
    if text not in {None, ".", ","}:
        raise SettingError(f"--decimal {text!r}: a dot or a comma is allowed")
    return text


def _step(text: str) -> int:
    allowed = "a step that divides an hour is allowed, such as 1h, 30m or 15m"
    try:
        step = seconds(text)
    except ValueError:
        step = 0.0
    if step < 1 or step != int(step) or HOUR % int(step):
        raise SettingError(f"--step {text!r}: {allowed}")
    return int(step)


def _instant(option: str, text: str | None, local: Calendar | None) -> int | None:
    """Return an instant, or a date's midnight (in UTC without a calendar), or its start where that is skipped."""
    if text is None:
        return None
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            midnight = instants.parse(f"{text}T00:00:00Z")
            return midnight if local is None else int(local.starts(np.array([midnight // DAY], np.int64))[0])
        return instants.parse(text)
    except ValueError as error:
        raise SettingError(
            f"{option} {text!r}: an instant or a date such as 2021-06-01 is allowed; {error}"
        ) from None
