"""The alerts of observability/alerts.yml fire when they should, by Prometheus' own rule engine."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from consumer.adapters.metrics import Metrics
from tests.observability.promtool import ALERTS, PROMTOOL, check_firing, needs_promtool

pytestmark = needs_promtool


def instance(lags: Mapping[int, int | None] | None) -> Metrics:
    """Metrics of an instance with this lag in each of its partitions, None where one is being restored."""
    metrics = Metrics()
    metrics.gauges(3, 0, len([lag for lag in (lags or {}).values() if lag is None]))
    metrics.lag(lags)
    return metrics


def test_the_rules_are_valid() -> None:
    """Prometheus would load the file."""
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, "check", "rules", ALERTS], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_plain_sum_fires_while_one_instance_hangs_in_its_restore(tmp_path: Path) -> None:
    """What one instance does not know takes nothing from what the others know."""
    rule = {"alert": "Plain", "expr": "sum(season_lag_messages) > 100"}
    rules = tmp_path / "rules.yml"
    rules.write_text(json.dumps({"groups": [{"name": "plain", "rules": [rule]}]}))
    instances = {"hangs": instance({0: None, 1: 5}), "slow": instance({2: 150}), "fine": instance({3: 0})}
    check_firing(tmp_path, instances, 1, {"Plain": 1}, rules)


def test_a_hanging_restore_and_the_lag_beside_it_are_both_seen(tmp_path: Path) -> None:
    """After ten minutes the restore, the unknown lag, and the sum of what is known."""
    instances = {"hangs": instance({0: None, 1: 5}), "slow": instance({2: 15_000}), "fine": instance({3: 0})}
    check_firing(tmp_path, instances, 11, {"SeasonLag": 1, "SeasonLagUnknown": 1, "SeasonRestoreHangs": 1})


def test_an_instance_that_the_group_does_not_let_in_is_seen(tmp_path: Path) -> None:
    """It knows no lag for longer than any session lasts."""
    check_firing(tmp_path, {"waits": instance(None), "fine": instance({0: 7})}, 6, {"SeasonLagUnknown": 1})


def test_nothing_fires_in_a_rebalance_and_where_all_is_well(tmp_path: Path) -> None:
    """A restore of some minutes, an instance without partitions, and a little lag are everyday life."""
    instances = {"restores": instance({0: None}), "empty": instance({}), "fine": instance({1: 9_000})}
    check_firing(tmp_path, instances, 4, {})
    del instances["restores"]
    check_firing(tmp_path, instances, 30, {})


def reloading(result: str) -> list[Metrics]:
    """Metrics of an instance, minute by minute, that has taken or refused a new model file after two minutes."""
    minutes = [instance({0: 0}) for _ in range(3)]
    minutes[2].reloaded(result)
    return minutes


def test_a_model_file_that_was_refused_is_seen_for_an_hour(tmp_path: Path) -> None:
    """One that was taken up is everyday life."""
    for minute, firing in [(1, {}), (3, {"SeasonModelRefused": 1}), (60, {"SeasonModelRefused": 1}), (63, {})]:
        check_firing(tmp_path, {"refuses": reloading("refused")}, minute, firing)
    check_firing(tmp_path, {"takes": reloading("taken")}, 3, {})


def test_readings_that_wait_are_seen(tmp_path: Path) -> None:
    """Behind a publisher's open transaction of more than two minutes, and where none is read, whatever the cause."""
    held, stalled = instance({0: 0}), instance({1: 50})
    held.waiting(60, 100.0)
    passing = instance({3: 0})
    passing.waiting(5, 0.0)  # transactions that come and go
    stalled.waiting(0, 500.0)
    check_firing(tmp_path, {"held": held, "passing": passing}, 3, {"SeasonReadingsHeld": 1})
    check_firing(tmp_path, {"stalled": stalled, "fine": instance({2: 0})}, 1, {"SeasonReadingsWait": 1})
