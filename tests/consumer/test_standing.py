"""What waits is told once, when it has waited for long enough, and once more when it is over."""

from typing import Any

from consumer.standing import HELD_S, STALLED_S, HeldReadings, PartitionEnds, StalledReadings


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.warnings: list[dict[str, Any]] = []
        self.infos: list[dict[str, Any]] = []

    def warning(self, event: str, **context: object) -> None:
        """Keep a warning."""
        self.warnings.append({"event": event, **context})

    def info(self, event: str, **context: object) -> None:
        """Keep a line."""
        self.infos.append({"event": event, **context})


def test_a_transaction_that_is_soon_over_is_counted_and_not_told() -> None:
    """Publishers that write in transactions hold back each other's readings for moments: that is no news."""
    log = Lines()
    held = HeldReadings(log)
    for now in range(100):
        assert held.observe({0: PartitionEnds(now, now + 5)}, float(now), 0.0) == 5
        assert held.observe({0: PartitionEnds(now + 5, now + 5)}, now + 0.5, 0.0) == 0
    assert (log.warnings, log.infos) == ([], [])


def test_a_transaction_that_stays_open_is_told_once_and_so_is_its_end() -> None:
    """With the partition, the offset, since when, and what to do."""
    log = Lines()
    held = HeldReadings(log)
    for now in range(int(3 * HELD_S)):
        assert held.observe({0: PartitionEnds(7, 7), 3: PartitionEnds(40, 100)}, float(now), 1_000_000.0 + now) == 60
    (line,) = log.warnings
    assert (line["partition"], line["offset"], line["messages"]) == (3, 40, 60)
    assert line["since"] == "1970-01-12T13:46:40+00:00"
    assert "kafka-transactions.sh" in line["event"]
    held.observe({0: PartitionEnds(7, 7), 3: PartitionEnds(100, 100)}, 3 * HELD_S, 0.0)
    assert [line["partition"] for line in log.infos] == [3]


def test_a_partition_that_goes_is_forgotten_in_both() -> None:
    """Its next owner tells; here nothing is over."""
    log = Lines()
    held, stalled = HeldReadings(log), StalledReadings(log)
    for now in (0.0, STALLED_S):
        held.observe({1: PartitionEnds(4, 9)}, now, 0.0)
        stalled.observe({1: 4}, {1: PartitionEnds(4, 9)}, now, {})
    assert held.observe({}, STALLED_S + 1, 0.0) == 0
    assert stalled.observe({}, {}, STALLED_S + 1, {}) == 0
    assert len(log.warnings) == 2


def test_readings_that_wait_for_a_minute_are_told_with_the_likely_cause() -> None:
    """Whatever the cause: one line for each partition, and another once it is read again."""
    log = Lines()
    stalled = StalledReadings(log)
    ends = {0: PartitionEnds(50, 50), 1: PartitionEnds(20, 50), 2: PartitionEnds(50, 50), 3: PartitionEnds(50, 50)}
    next_offsets = {0: 10, 1: 20, 2: 50, 3: 30}
    assert stalled.observe(next_offsets, ends, 0.0, {}) == 0
    assert stalled.observe(next_offsets, ends, STALLED_S - 1, {}) == STALLED_S - 1
    assert log.warnings == []
    for more in range(3):
        assert stalled.observe(next_offsets, ends, STALLED_S + more, {3: "its changelog is read"}) == STALLED_S + more
    causes = {line["partition"]: line["likely_cause"] for line in log.warnings}
    assert len(log.warnings) == 3
    assert "fetches do not come back" in causes[0]
    assert "open transaction" in causes[1]
    assert causes[3] == "its changelog is read"
    assert stalled.observe(next_offsets | {0: 11}, ends, STALLED_S + 3, {}) == STALLED_S + 3
    assert [line["partition"] for line in log.infos] == [0]


def test_a_partition_that_is_read_on_or_has_nothing_to_read_does_not_wait() -> None:
    """Steady reading, however slow, and an end that is reached are no standstill."""
    log = Lines()
    stalled = StalledReadings(log)
    for now in range(0, 1000, 10):
        waited = stalled.observe(
            {0: now, 1: 5}, {0: PartitionEnds(10_000, 10_000), 1: PartitionEnds(5, 5)}, float(now), {}
        )
        assert waited == 0
    assert log.warnings == []


def test_an_old_answer_says_nothing_new() -> None:
    """The loop looks more often than the broker is asked: what was held in the last answer need not be held now."""
    log = Lines()
    held, answer = HeldReadings(log), {0: PartitionEnds(7, 9)}
    for now in range(int(3 * HELD_S)):
        assert held.observe(answer, float(now), 0.0) == 2
    assert (log.warnings, held.standing) == ([], frozenset())


def test_what_stands_behind_one_transaction_in_two_answers_is_standing() -> None:
    """Then the zones of the partition are not silent, and their windows must not end."""
    held = HeldReadings(Lines())
    for now, (stable, end), standing in [
        (0, (7, 9), False),
        (3, (7, 12), True),
        (6, (10, 12), False),
        (9, (12, 12), False),
    ]:
        held.observe({0: PartitionEnds(stable, end)}, float(now), 0.0)
        assert (0 in held.standing) == standing
