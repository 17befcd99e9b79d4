"""Instants as text are strict RFC 3339, and what is written can be read back."""

import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from season import instants

# 2021-06-01T13:00:00Z
NOON = 1622552400


@pytest.mark.parametrize(
    "text",
    [
        "2021-06-01T13:00:00Z",
        "2021-06-01t13:00:00z",
        "2021-06-01 13:00:00Z",
        "2021-06-01T13:00:00.000Z",
        "2021-06-01T13:00:00.0000000000000000000000000Z",
        "2021-06-01T13:00:00+00:00",
        "2021-06-01T13:00:00-00:00",
        "2021-06-01T15:00:00+02:00",
        "2021-06-01T07:30:00-05:30",
        "2021-06-02T12:59:00+23:59",
        "2021-05-31T13:01:00-23:59",
    ],
)
def test_every_allowed_form_is_the_same_instant(text: str) -> None:
    """Case, the space, a zero fraction and the offset change nothing about the instant."""
    assert instants.parse(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2021-06-01",
        "2021-06-01T13Z",
        "2021-06-01T13:00Z",
        "2021-06-01T13:00:00",
        "2021-06-01T13:00:00.Z",
        "2021-06-01T13:00:00,0Z",
        "2021-06-01T13:00:00.001Z",
        "2021-06-01T24:00:00Z",
        "2021-06-01T13:60:00Z",
        "2021-06-01T13:00:60Z",
        "2016-12-31T23:59:60Z",
        "2021-06-01T13:00:00+0200",
        "2021-06-01T13:00:00+02",
        "2021-06-01T13:00:00+24:00",
        "2021-06-01T13:00:00+02:60",
        "2021-06-01T13:00:00\u221202:00",
        "2021-06-01T13:00:00 Z",
        "2021-06-01T13:00:00Z\n",
        " 2021-06-01T13:00:00Z",
        "2021-06-01T13:00:00ZZ",
        "2021-06-01_13:00:00Z",
        "2021-06-01T13:00:0\u0660Z",
        "\uff12021-06-01T13:00:00Z",
        "20210601T130000Z",
        "2021-W22-2T13:00:00Z",
        "2021-152T13:00:00Z",
        "2021-00-01T13:00:00Z",
        "2021-13-01T13:00:00Z",
        "2021-06-00T13:00:00Z",
        "2021-06-31T13:00:00Z",
        "2021-02-29T13:00:00Z",
        "1900-02-29T13:00:00Z",
        "0000-01-01T00:00:00Z",
        "+002021-06-01T13:00:00Z",
        "-2021-06-01T13:00:00Z",
        "1622552400",
    ],
)
def test_everything_else_is_refused_with_a_sentence(text: str) -> None:
    """What RFC 3339 or the interface does not allow raises ValueError, and the sentence quotes the text."""
    with pytest.raises(ValueError, match=r" (is not an? |has a date)") as caught:
        instants.parse(text)
    assert repr(text) in str(caught.value)


@given(st.text(max_size=3000) | st.text(alphabet="0123456789-:.TZtz+ \ud800\x00", max_size=40))
@example("\u202e" * 100)
def test_any_text_is_an_instant_or_a_short_printable_sentence(text: str) -> None:
    """No text leads to another exception, and no sentence is long or holds control characters."""
    sentence = ""
    try:
        instants.parse(text)
    except ValueError as error:
        sentence = str(error)
    assert len(sentence) < 600
    assert not sentence or sentence.isprintable()


@given(st.datetimes(), st.integers(-1439, 1439))
def test_an_offset_is_taken_off(moment: datetime.datetime, minutes: int) -> None:
    """The instant is that of Python's own reader, for any date and offset that it can hold."""
    zone = datetime.timezone(datetime.timedelta(minutes=minutes))
    local = moment.replace(microsecond=0, tzinfo=zone)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert instants.parse(local.isoformat()) == (local - epoch) // datetime.timedelta(seconds=1)


@given(st.integers(0, 253402300799))
@example(NOON)
def test_what_is_written_is_read_back(seconds: int) -> None:
    """Text and number are one to one from 1970 to the end of 9999, in the form of 20 characters."""
    text = instants.format(seconds)
    assert len(text) == 20
    assert instants.parse(text) == seconds


def test_the_form_that_is_written() -> None:
    """Instants are written in UTC with a Z; the end of the last day of 9999 can still be written."""
    assert instants.format(NOON) == "2021-06-01T13:00:00Z"
    assert instants.format(253402300800) == "10000-01-01T00:00:00Z"
