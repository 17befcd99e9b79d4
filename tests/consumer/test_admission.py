"""The wait to be let into the group: logged once, told to /readyz all the time."""

from typing import Any

import structlog.testing

from consumer.admission import NOTICE_AFTER_S, Admission

WHY = "the group has not let this member in yet"
SENTENCE = f"{WHY}; a dead member is waited for no longer than 45 s (session.timeout.ms)"


def observed(*times: tuple[float, str | None, bool]) -> tuple[list[str | None], list[Any]]:
    """What a wait says of itself at these times, and the events of its log."""
    admission = Admission("45 s (session.timeout.ms)")
    with structlog.testing.capture_logs() as logs:
        said = [admission.observe(outside, answers, now) for now, outside, answers in times]
    return said, [entry["event"] for entry in logs]


def test_a_long_wait_is_logged_once_and_its_end_too() -> None:
    """With the longest time that it can take; the next wait is another one."""
    wait = [(now, WHY, True) for now in (0.0, 1.0, NOTICE_AFTER_S, 10.0, 44.0)]
    said, log = observed(*wait, (45.0, None, True), (46.0, None, True), (50.0, WHY, True), (60.0, WHY, True))
    assert said == [SENTENCE] * 5 + [None, None] + [SENTENCE] * 2
    assert log == [SENTENCE, "the group has let this member in", SENTENCE]


def test_a_group_that_lets_a_member_in_at_once_is_no_news() -> None:
    """Not ready meanwhile, and nothing in the log."""
    assert observed((0.0, WHY, True), (NOTICE_AFTER_S / 2, WHY, True), (NOTICE_AFTER_S, None, True)) == (
        [SENTENCE, SENTENCE, None],
        [],
    )


def test_a_broker_that_does_not_answer_is_another_wait() -> None:
    """Its time does not count, and no dead member is named in the log; ready it is not."""
    said, log = observed((0.0, WHY, False), (60.0, WHY, False), (61.0, WHY, True), (61.5, WHY, True))
    assert (said, log) == ([SENTENCE] * 4, [])
