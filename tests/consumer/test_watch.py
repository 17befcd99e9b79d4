"""A person sees each prediction as one line that nothing in a message can disturb."""

import csv
import datetime
import io
import re
from typing import Any, cast

import numpy as np
import pytest

from consumer.watch.ends import EndOffsets
from consumer.watch.forms import csv_header, csv_row
from consumer.watch.line import ZONE_CELLS, local_date, padded, printable, render, sparkline, width
from consumer.watch.tally import PredictionTally
from season import instants
from season.calendar import Calendar
from season.client.consumer import Batch, PartitionEvent
from season.client.errors import ClientError, Code
from season.client.message import KafkaMessage
from season.messages import Prediction


def prediction(**changed: Any) -> Prediction:
    """A day in Italy, with what a test changes."""
    fields: dict[str, Any] = {
        "zone": "IT",
        "window_start": "2021-05-31T22:00:00Z",
        "window_end": "2021-06-01T22:00:00Z",
        "label": "summer",
        "winter_probability": 0.0312,
        "logit": -3.435,
        "calendar_label": "summer",
        "filled_hours": 0,
        "revision": 0,
        "model": "italy-load",
        "model_version": "3f9c0a1b2c4d",
        "steps": [float(step) for step in range(24)],
    }
    return Prediction(**{**fields, **changed})


def test_a_line_says_zone_date_shape_probability_and_label() -> None:
    """What is usual takes no more than that, and no colour unless it is asked for."""
    assert render(prediction()) == ("IT       2021-06-01  ▁▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇███  winter 0.0312  summer")


def test_a_line_marks_what_is_unusual() -> None:
    """A calendar that disagrees, a revision, filled hours: each only where there is one."""
    unusual = prediction(calendar_label="winter", revision=2, filled_hours=1)
    assert render(unusual).endswith("summer ◀ in winter  revision 2  1 filled")


@pytest.mark.parametrize("unusual", [{"calendar_label": "winter"}, {"revision": 9}, {"filled_hours": 12}, {}])
def test_a_line_fits_a_terminal_of_80_columns(unusual: dict[str, Any]) -> None:
    """With one thing that is unusual, for zones of up to seven cells."""
    assert width(render(prediction(zone="IT-NORD", **unusual))) <= 80


def test_colours_are_only_colours() -> None:
    """Without its escapes, a coloured line is the plain one."""
    unusual = prediction(calendar_label="winter", revision=2)
    coloured = render(unusual, colour=True)
    assert coloured != render(unusual)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == render(unusual)


@pytest.mark.parametrize(
    "zone", ["\x1b[31m\x1b]0;title\x07", "a\nb", "a\rb", "\u202eevil", "\x9b31m", "\ud800", "\u2028"]
)
def test_no_zone_can_move_the_cursor(zone: str) -> None:
    """Control characters, line ends and changes of direction are shown escaped, in labels too."""
    line = render(prediction(zone=zone, label=zone, calendar_label=zone))
    assert line.isprintable()
    assert not set(zone) & {char for char in line if not char.isprintable()}


@pytest.mark.parametrize(
    "zone", ["", "IT", "日本" * 20, "é" * 30, "e\u0301" * 30, "x" * 200, "\x07" * 50, "日本のゾーン北"]
)
def test_columns_stay_where_they_are(zone: str) -> None:
    """However long or wide a zone's name, its column is as wide as was asked for."""
    for cells in (12, 24):
        assert width(padded(zone, cells)) == cells
    assert width(render(prediction(zone=zone)).split("2021-06-01")[0]) == ZONE_CELLS + 2


def test_a_name_that_fits_is_not_cut() -> None:
    """The ellipsis stands only where something is missing."""
    assert padded("x" * 12, 12) == "x" * 12
    assert padded("x" * 13, 12) == "x" * 11 + "…"
    assert printable("Südtirol 日本") == "Südtirol 日本"


def test_the_sparkline_goes_from_the_lowest_to_the_highest() -> None:
    """Scale and unit do not matter; equal steps, huge ones and none at all have a line, too."""
    assert sparkline([-5.0, 0.0, 5.0]) == "▁▅█"
    assert sparkline([-5e300, 0.0, 5e300]) == "▁▅█"
    assert sparkline([-1.7e308, 1.7e308]) == "▁█"
    assert sparkline([7.0] * 24) == "▄" * 24
    assert sparkline([0.0, 5e-324]) in {"▁█", "▄▄"}
    assert sparkline([]) == ""


@pytest.mark.parametrize(
    ("zone", "date"),
    [
        ("UTC", "2021-06-01"), ("Europe/Rome", "2021-03-28"), ("Europe/Rome", "2021-10-31"),
        ("America/Los_Angeles", "2021-06-01"), ("Asia/Tokyo", "2021-06-01"), ("Pacific/Honolulu", "2021-01-01"),
        ("Asia/Kolkata", "2021-01-01"),
    ],
)  # fmt: skip
def test_the_date_needs_no_time_zone_for_days_from_midnight(zone: str, date: str) -> None:
    """Less than twelve hours from UTC, the window's middle falls on the same date in UTC; a calendar says it too."""
    calendar = Calendar(zone)
    day = np.array([(datetime.date.fromisoformat(date) - datetime.date(1970, 1, 1)).days], np.int64)
    start, end = (instants.format(int(edge[0])) for edge in (calendar.starts(day), calendar.ends(day)))
    window = prediction(window_start=start, window_end=end)
    assert local_date(window, None).isoformat() == date
    assert local_date(window, calendar).isoformat() == date


def test_with_a_calendar_the_date_is_the_time_zones() -> None:
    """Where midnight is more than twelve hours from UTC's, or the day starts late, WINDOW_TIME_ZONE tells."""
    window = prediction(window_start="2021-05-31T10:00:00Z", window_end="2021-06-01T10:00:00Z")
    assert local_date(window, Calendar("Pacific/Kiritimati")).isoformat() == "2021-06-01"
    window = prediction(window_start="2021-06-01T13:00:00Z", window_end="2021-06-02T13:00:00Z")
    assert local_date(window, Calendar("America/Los_Angeles")).isoformat() == "2021-06-01"


def test_a_window_without_instants_is_refused() -> None:
    """A foreign message is for the caller to tell."""
    with pytest.raises(ValueError, match="never"):
        render(prediction(window_start="never"))


def test_the_summary_counts_windows_surprises_labels_and_agreement() -> None:
    """Over all and by zone; a revision is no further window."""
    tally = PredictionTally()
    for changed in ({}, {}, {"revision": 1, "label": "winter"}, {"zone": "FR\x07", "label": "winter"}):
        tally.count(prediction(**changed))
    assert tally.summary() == (
        "3 windows and 1 revision of 2 zones: 2 surprises, 50.0 % agree with the calendar\n"
        "  FR\\x07  1 winter            1 surprise, 0.0 % agree\n"
        "  IT      2 summer, 1 winter  1 surprise, 66.7 % agree"
    )


def test_the_summary_fits_a_terminal_of_80_columns() -> None:
    """However many predictions there are, and however long the names of their zones."""
    tally = PredictionTally()
    for label in ("summer", "winter"):
        for revision in (0, 1):
            for zone in ("IT", "a-zone-with-a-name-of-far-more-cells-than-there-are"):
                for _ in range(2500):
                    tally.count(prediction(zone=zone, label=label, revision=revision))
    summary = tally.summary().splitlines()
    assert summary[0] == "10,000 windows and 10,000 revisions of 2 zones: 10,000 surprises, 50.0 % agree"
    assert max(width(line) for line in summary) <= 80


def test_the_summary_of_many_zones_names_the_busiest() -> None:
    """Thousands of zones do not fill the screen; nothing seen is said, too."""
    assert PredictionTally().summary() == "no predictions"
    tally = PredictionTally()
    for zone in range(100):
        tally.count(prediction(zone=str(zone)))
    tally.count(prediction(zone="99"))
    assert len(tally.summary().splitlines()) == 32
    assert "\n  99 " in tally.summary()
    assert tally.summary().endswith("and 70 zones more")


def test_cells_are_those_of_a_terminal() -> None:
    """Wide characters take two, combining ones none."""
    assert [width(text) for text in ("IT", "日本", "e\u0301", "é", "\u20dd")] == [2, 4, 1, 1, 0]


class Sent:
    """A message as the client gives it."""

    def __init__(self, partition: int, offset: int, value: bytes = b"") -> None:
        self._fields = partition, offset, value

    def __getattr__(self, name: str) -> Any:
        values = dict(zip(("partition", "offset", "value"), self._fields, strict=True))
        return lambda: values[name]


MESSAGE = cast(KafkaMessage, Sent(0, 0))


def test_csv_reads_back_to_the_same_prediction() -> None:
    """Every field, the steps one by one, to the last bit, whatever the zone's name holds."""
    zones = ["IT", 'a "b", c', "two\nlines", "two\r\nlines", "", "日本", " x "]
    sent = [
        prediction(zone=zone, winter_probability=0.1 + 0.2, logit=5e-324, steps=[1e22 / 3 * k for k in range(24)])
        for zone in zones
    ]
    text = b"".join([csv_header(), *(csv_row(MESSAGE, one) for one in sent)]).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert text.endswith("\r\n")
    assert [*rows[0]] == [*Prediction.__struct_fields__[:-1], *(f"step_{k:02}" for k in range(24))]
    for row, one in zip(rows, sent, strict=True):
        fields = {name: str(getattr(one, name)) for name in Prediction.__struct_fields__[:-1]}
        assert {name: row[name] for name in fields} == fields
        assert [float(row[f"step_{k:02}"]) for k in range(24)] == one.steps
        assert float(row["winter_probability"]) == 0.1 + 0.2


def test_a_row_of_csv_has_24_steps() -> None:
    """Another number of them would move the columns."""
    with pytest.raises(ValueError, match="it has 23 steps instead of 24"):
        csv_row(MESSAGE, prediction(steps=[1.0] * 23))


def test_the_ends_are_reached_when_every_partition_is_read_so_far() -> None:
    """A message right before the end, one behind it, or the client's word that there is no more."""
    ends = EndOffsets({0: 2, 1: 5, 2: 5, 3: 0})
    runs: list[tuple[int, list[Any]]] = [
        (0, [Sent(0, 0)]),
        (1, [Sent(1, 3)]),
        (0, [Sent(0, 1), Sent(0, 2)]),
        (1, [Sent(1, 7)]),
    ]
    assert not ends.reached
    shown = ends.within(Batch(runs, []))
    assert [(message.partition(), message.offset()) for message in shown] == [(0, 0), (1, 3), (0, 1)]
    assert not ends.reached
    assert ends.within(Batch([], [PartitionEvent(2, 5, ClientError(Code.TRANSPORT))])) == []
    assert not ends.reached
    assert ends.within(Batch([], [PartitionEvent(2, 5, ClientError(Code.PARTITION_EOF))])) == []
    assert ends.reached


def test_an_empty_topic_is_read_at_once() -> None:
    """Nothing is waited for."""
    assert EndOffsets({0: 0, 1: 0}).reached
