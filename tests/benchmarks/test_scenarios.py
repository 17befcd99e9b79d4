"""The scenarios give what they say: the naive reference reads their messages and comes to the same."""

from collections import Counter
from dataclasses import replace
from itertools import islice, pairwise

import pytest

from benchmarks.scenarios import BACKLOG, HARD, LIGHT_LOAD, OPEN_WINDOWS, Part, Scenario
from consumer.core.outcome import Rules
from season.calendar import DAY, Calendar
from season.kafka import murmur2_partition
from season.messages import decode_reading
from tests.integration.oracle import Expected, Logged, Oracle
from tests.integration.world import MODEL

ZONES = 40
SCENARIOS = [replace(scenario, zones=ZONES) for scenario in [BACKLOG, *HARD, LIGHT_LOAD]]
NOW = 1_800_000_000.0


def parts_of(scenario: Scenario, days: int = 4) -> list[Part]:
    """The first parts, with so many days of all zones; what comes last may end in the middle of a day."""
    parts: list[Part] = []
    remaining = (24 * days + 5) * ZONES
    for part in scenario.parts():
        parts.append(part)
        remaining -= len(part.messages)
        if remaining <= 0:
            break
    return parts


def read(scenario: Scenario, parts: list[Part]) -> Expected:
    """What the reference makes of the messages."""
    logs: list[list[Logged]] = [[] for _ in range(scenario.partitions)]
    for part in parts:
        for key, value in part.messages:
            number = murmur2_partition(key, scenario.partitions)
            logs[number].append(Logged(number, len(logs[number]), key, value, []))
    oracle = Oracle(Calendar(scenario.time_zone), Rules(DAY, 2, 3600.0), MODEL, "t", scenario.partitions, NOW)
    return oracle.read(logs)


def reasons(expected: Expected) -> Counter[str]:
    """The dead letters of the reference, by reason."""
    found = [dict(headers)["reason"] or b"" for _, _, headers in expected.letters]
    return Counter(reason.decode() for reason in found)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_leads_to_what_its_parts_say(scenario: Scenario) -> None:
    """Predictions and dead letters of the reference are those that the parts promise, by reason."""
    parts = parts_of(scenario)
    expected = read(scenario, parts)
    promised: Counter[str] = sum((part.letters for part in parts), Counter())
    assert sum(map(len, expected.predictions.values())) == sum(part.predictions for part in parts) > 0
    assert reasons(expected) == promised
    assert not expected.windows


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_what_was_published_before_counts_alone(scenario: Scenario) -> None:
    """After any part the sums are right, so a run may end behind it."""
    parts = parts_of(scenario)
    for length in (1, len(parts) // 2, len(parts) - 1):
        predictions = sum(map(len, read(scenario, parts[:length]).predictions.values()))
        assert predictions == sum(part.predictions for part in parts[:length])


def by_name(start: str) -> Scenario:
    """The hard input whose name begins so."""
    [scenario] = [scenario for scenario in SCENARIOS if scenario.name.startswith(start)]
    return scenario


def test_five_percent_are_repeats_and_five_percent_are_corrections() -> None:
    """The shares are those of the name."""
    parts = parts_of(by_name("5 %"), days=20)
    expected = read(by_name("5 %"), parts)
    readings = len(parts) * ZONES
    assert expected.repeats == pytest.approx(0.05 * readings, rel=0.05)
    assert expected.corrections == pytest.approx(0.05 * readings, rel=0.05)


def test_one_percent_is_refused_for_each_of_five_reasons() -> None:
    """Every reason has its part of one percent, and the reference refuses for that reason."""
    parts = parts_of(by_name("1 %"), days=25)
    letters: Counter[str] = sum((part.letters for part in parts), Counter())
    messages = sum(len(part.messages) for part in parts)
    assert letters.total() == pytest.approx(0.01 * messages, rel=0.15)
    assert set(letters) == {"malformed", "bad_timestamp", "key_mismatch", "future_reading", "late"}
    assert min(letters.values()) > 0.1 * letters.total()
    assert reasons(read(by_name("1 %"), parts)) == letters


def test_shuffled_readings_are_far_from_their_order() -> None:
    """Within a part a zone's hours come in any order, a day late at most."""
    [part] = islice(by_name("shuffled").parts(), 1)
    hours = [decode_reading(value)[1] for key, value in part.messages if key == b"zone-000000"]
    assert len(hours) == 48
    assert sum(later < earlier for earlier, later in pairwise(hours)) > 10


@pytest.mark.parametrize("hours", [23, 25])
def test_all_zones_have_the_day_of_a_clock_change(hours: int) -> None:
    """Each day has so many hours in its time zone, for every zone."""
    parts = list(islice(by_name(f"a day of {hours}").parts(), hours))
    instants = [decode_reading(part.messages[-1][1])[1] for part in parts]
    assert instants == list(range(instants[0], instants[0] + hours * 3600, 3600))
    assert [len(part.messages) for part in parts] == [ZONES] * hours
    assert parts[-1].predictions == ZONES


def test_long_names_have_the_most_bytes_that_are_allowed() -> None:
    """200 bytes of UTF-8, most of them not ASCII, each name another one."""
    scenario = by_name("names")
    names = {scenario.zone_name(number) for number in range(ZONES)}
    assert len(names) == ZONES
    assert {len(name) for name in names} == {200}
    assert all(sum(byte > 127 for byte in name) > 100 for name in names)


def test_one_reading_in_24_completes_a_window_of_a_light_load() -> None:
    """From the second part on, whatever part it is."""
    parts = list(islice(replace(LIGHT_LOAD, zones=240).parts(), 50))[1:]
    assert {(len(part.messages), part.predictions) for part in parts} == {(240, 10)}


def test_open_windows_are_opened_zone_by_zone() -> None:
    """A window of some zones, of the others, and a second one of each: so many are open then."""
    scenario = replace(OPEN_WINDOWS, zones=280_000)
    parts = list(scenario.parts())
    assert [len(part.messages) for part in parts] == [250_000, 30_000, 280_000]
    sample = [Part(part.messages[:500]) for part in (parts[0], parts[2])]
    assert len(read(scenario, sample).open) == 1000
