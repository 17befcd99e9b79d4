"""The real service on a real broker: every prediction and dead letter is compared with the naive reference."""

import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consumer.core.outcome import Rules
from kafka_local import Broker
from season import instants
from season.calendar import DAY, HOUR, Calendar
from tests.integration.oracle import Expected, Oracle, compare
from tests.integration.world import MODEL, ROOT, World

ROME = Calendar("Europe/Rome")
RULES = Rules(DAY, 2, 3600.0)
YEAR = 2021


def italian_year() -> list[tuple[int, float]]:
    """The real hours of 2021 in Italy: instant and megawatts."""
    start, end = (int(np.datetime64(f"{year}-01-01T00:00", "s").astype(np.int64)) - HOUR for year in (YEAR, YEAR + 1))
    with (ROOT / "data" / "italy_load_2015_2021.csv").open() as file:
        rows = [(instants.parse(stamp), float(load)) for stamp, load in list(csv.reader(file))[1:]]
    return [(at, load) for at, load in rows if start <= at < end]


def reading(zone: str, at: int, demand: float) -> dict[str, Any]:
    """A message for `produce`."""
    value = json.dumps({"zone": zone, "timestamp": instants.format(at), "demand_mw": demand})
    return {"key": zone.encode(), "value": value.encode()}


def shuffled_year(seed: int) -> list[dict[str, Any]]:
    """The year as several zones of different scale: disorder, repeats, corrections, gaps, flat days, late ones."""
    random, rows = np.random.default_rng(seed), []
    for number, scale in enumerate([1.0, 0.01, 1.7, 0.2, 30.0, 0.5]):
        zone = f"zone-{number}-è"
        year = italian_year()
        days = ROME.days(np.array([at for at, _ in year]))
        for (at, load), day in zip(year, days.tolist(), strict=True):
            if random.random() < 0.002 or (number == 1 and random.random() < 0.01):
                continue
            value = 777.0 if (day + number) % 97 == 0 else load * scale
            arrival = at + random.random() * 20 * HOUR
            rows.append((arrival, zone, at, value))
            if random.random() < 0.02:
                again = value if random.random() < 0.5 else value + 1.0
                rows.append((arrival + random.random() * 40 * HOUR, zone, at, again))
    return [reading(zone, at, value) for _, zone, at, value in sorted(rows)]


def expected_of(world: World, rules: Rules = RULES) -> Expected:
    """What the naive reference makes of the log as it stands."""
    topic = world.environ["READINGS_TOPIC"]
    return Oracle(ROME, rules, MODEL, topic, world.partitions, time.time()).read(world.log("READINGS_TOPIC"))


def check(world: World, rules: Rules = RULES) -> Expected:
    """Holds what was published to the reference."""
    expected = expected_of(world, rules)
    compare(expected, world.flat("PREDICTIONS_TOPIC"), world.flat("DEAD_LETTER_TOPIC"))
    return expected


def test_a_real_year_comes_out_as_the_reference_says(broker: Broker, tmp_path: Path) -> None:
    """2021 as six zones over four partitions, in disorder: every message is where the rule puts it, once."""
    world = World(broker.bootstrap_servers)
    world.publish(shuffled_year(0))
    with world.service(tmp_path) as service:
        world.wait_until_read(120)
        expected = check(world)
        published = sum(len(rows) for rows in expected.predictions.values())
        counts = {
            "season_readings_total": sum(len(log) for log in world.log("READINGS_TOPIC")),
            "season_repeats_total": expected.repeats,
            "season_corrections_total": expected.corrections,
            "season_predictions_total": published,
            "season_dead_letters_total": len(expected.letters) + len(expected.windows),
            "season_lag_messages": 0,
        }
        service.says(counts)
        assert service.stop() == 0
    assert published > 6 * 340
    assert len({row["revision"] for rows in expected.predictions.values() for row in rows}) > 1
    assert {reason for reason, _ in expected.windows} == {"incomplete_window", "constant_window"}


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_restart_in_mid_window_loses_and_doubles_nothing(broker: Broker, tmp_path: Path, end: str) -> None:
    """Ended by SIGTERM or by kill -9 while windows are open, the next start goes on where the last one was."""
    world = World(broker.bootstrap_servers)
    messages = shuffled_year(1)[:9000]
    for start in range(0, len(messages), 3000):
        world.publish(messages[start : start + 3000])
        with world.service(tmp_path, INSTANCE_ID="one") as service:
            world.wait_until_read()
            if end == "stop":
                assert service.stop() == 0
            else:
                service.kill()
    check(world)


def test_a_kill_in_the_middle_of_work_loses_and_doubles_nothing(broker: Broker, tmp_path: Path) -> None:
    """Killed while it works through a backlog, again and again, the sum is the same."""
    world = World(broker.bootstrap_servers)
    world.publish(shuffled_year(2))
    for _ in range(4):
        with world.service(tmp_path, INSTANCE_ID="one", COMMIT_INTERVAL="300ms") as service:
            service.ready()
            time.sleep(0.2)
            service.kill()
    with world.service(tmp_path, INSTANCE_ID="one") as service:
        service.ready()  # it may have nothing left to read
        world.wait_until_read(120)
        assert service.stop() == 0
    check(world)
