"""The last word says what became of every row."""

from producer.report import Display, RowCounts, printable, summary
from season.files import RowTally


def test_the_summary_accounts_for_every_row() -> None:
    """Delivered, skipped, bad, left out and not delivered, with zones, time span and rate."""
    counts = RowCounts(RowTally(rows=20, outside=4), skipped=3, bad=2)
    for hour in range(11):
        counts.count("IT" if hour % 2 else "FR", hour * 3600)
    assert summary(counts, undelivered=1, seconds=2.0) == (
        "delivered 10 readings of 2 zones, 1970-01-01T00:00:00Z to 1970-01-01T10:00:00Z, in 2.0 s (5 readings/s)\n"
        "20 rows read, 2 bad, 4 outside the time span, 3 readings skipped, 1 readings NOT delivered"
    )


def test_nothing_delivered_is_said_too() -> None:
    """An empty file, or one that is all on the topic, has a last word without a time span."""
    text = summary(RowCounts(RowTally(rows=5), skipped=5), undelivered=0, seconds=0.0)
    assert text == "delivered 0 readings, in 0.0 s (0 readings/s)\n5 rows read, 0 bad, 5 readings skipped"


def test_what_a_file_holds_cannot_move_the_cursor(capsys) -> None:  # type: ignore[no-untyped-def]
    """Control characters of a bad row are shown escaped, and a pipe gets plain lines."""
    assert printable("a\x1b[31mb\u202e\ud800") == "a\\x1b[31mb\\u202e\\ud800"
    with Display(["-"], RowCounts()) as display:
        display.say("bad \x07 row")
    assert capsys.readouterr().err == "bad \\x07 row\n"
