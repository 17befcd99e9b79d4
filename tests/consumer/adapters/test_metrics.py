"""The metrics have the interface's names and labels, and start at zero."""

from collections import Counter
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from consumer.adapters.metrics import Metrics

LABELS = ("label", "calendar_label", "reason", "partition", "result", "name", "version")


@dataclass
class FakeTally:
    """What a transaction comes to."""

    readings: int = 0
    repeats: int = 0
    corrections: int = 0
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample of the service's own metrics, by its name and labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        " ".join([sample.name, *(sample.labels[name] for name in LABELS if name in sample.labels)]): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("season_") and "commit" not in sample.name
    }


ZERO = {
    "season_readings_total": 0,
    "season_model_reloads_total taken": 0,
    "season_model_reloads_total refused": 0,
    "season_predictions_total winter winter": 0,
    "season_predictions_total winter summer": 0,
    "season_predictions_total summer winter": 0,
    "season_predictions_total summer summer": 0,
    "season_dead_letters_total malformed": 0,
    "season_dead_letters_total bad_timestamp": 0,
    "season_dead_letters_total key_mismatch": 0,
    "season_dead_letters_total future_reading": 0,
    "season_dead_letters_total late": 0,
    "season_dead_letters_total incomplete_window": 0,
    "season_dead_letters_total constant_window": 0,
    "season_dead_letters_total unscorable_window": 0,
    "season_transactions_total committed": 0,
    "season_transactions_total aborted": 0,
    "season_transactions_total expired": 0,
    "season_repeats_total": 0,
    "season_corrections_total": 0,
    "season_open_windows": 0,
    "season_lost_messages_total": 0,
    "season_restoring_records": 0,
    "season_restoring_partitions": 0,
    "season_held_messages": 0,
    "season_waiting_seconds": 0,
}


def test_every_metric_is_there_from_the_start() -> None:
    """By the interface's names, with all values of their labels, at 0, and no others."""
    assert samples(Metrics()) == ZERO


def test_what_is_told_is_shown() -> None:
    """Counters add up over transactions, gauges are set, and the label comes before the calendar's."""
    metrics = Metrics()
    for _ in range(2):
        tally = FakeTally(10, 2, 1, Counter({("winter", "summer"): 3}), Counter({"late": 4}))
        metrics.add(tally)
    metrics.lost(7)
    metrics.gauges(5, 6, 7)
    metrics.gauges(4, 3, 2)
    assert samples(metrics) == ZERO | {
        "season_readings_total": 20,
        "season_repeats_total": 4,
        "season_corrections_total": 2,
        "season_predictions_total winter summer": 6,
        "season_dead_letters_total late": 8,
        "season_lost_messages_total": 7,
        "season_restoring_records": 3,
        "season_restoring_partitions": 2,
        "season_open_windows": 4,
    }
    assert b'season_predictions_total{calendar_label="summer",label="winter"} 6.0' in metrics.text()


def test_the_lag_is_shown_while_it_is_known() -> None:
    """Series are absent while it is not: all of them outside the group, the sum while a partition is restored."""
    metrics = Metrics()
    for lag, shown in [
        (None, {}),
        ({}, {"season_lag_messages": 0}),
        ({0: None, 2: 5}, {"season_partition_lag_messages 2": 5}),
        (
            {0: 3, 2: 5},
            {"season_lag_messages": 8, "season_partition_lag_messages 0": 3, "season_partition_lag_messages 2": 5},
        ),
        ({2: 0}, {"season_lag_messages": 0, "season_partition_lag_messages 2": 0}),
        (None, {}),
    ]:
        metrics.lag(lag)
        assert samples(metrics) == ZERO | shown
        assert b"# TYPE season_lag_messages gauge" in metrics.text()


def test_one_model_is_in_force() -> None:
    """The one before it is gone; files that were taken and refused are counted."""
    metrics = Metrics()
    metrics.model("one", "0a")
    metrics.model("two", "0b")
    metrics.model("two", "0b")
    for result in ("taken", "refused", "refused"):
        metrics.reloaded(result)
    assert samples(metrics) == ZERO | {
        "season_model_info two 0b": 1,
        "season_model_reloads_total taken": 1,
        "season_model_reloads_total refused": 2,
    }


def test_commits_are_timed() -> None:
    """How long commits take is there as a histogram in seconds."""
    metrics = Metrics()
    metrics.committed(0.003)
    assert b'season_commit_seconds_bucket{le="0.005"} 1.0' in metrics.text()


def test_two_services_in_one_process_share_nothing() -> None:
    """Each has a registry of its own."""
    one, other = Metrics(), Metrics()
    one.lost(1)
    assert samples(other) == ZERO
