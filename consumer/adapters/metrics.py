"""Every metric of the service, with its meaning and unit, in one place.

Counters count what was committed; gauges are of the partitions that this instance holds. What can be counted is
there from the start, as 0, so that a rate can be seen from the first event on.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Protocol

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from consumer.adapters.letters import CONSTANT, INCOMPLETE, UNSCORABLE
from season.labels import LABELS
from season.messages import BAD_TIMESTAMP, MALFORMED

REASONS = (
    MALFORMED,
    BAD_TIMESTAMP,
    "key_mismatch",
    "future_reading",
    "late",
    INCOMPLETE,
    CONSTANT,
    UNSCORABLE,
)
RELOADS = ("taken", "refused")
COMMITTED, ABORTED, EXPIRED = "committed", "aborted", "expired"
CONTENT_TYPE = prometheus_client.CONTENT_TYPE_LATEST

_COMMIT_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Counted(Protocol):
    """What a committed transaction comes to."""

    readings: int
    repeats: int
    corrections: int

    @property
    def labels(self) -> Mapping[tuple[str, str], int]: ...  # noqa: D102
    @property
    def reasons(self) -> Mapping[str, int]: ...  # noqa: D102


class _Lag(Collector):
    """The lag, as series that are absent while it is not known: a NaN among several instances makes a sum NaN."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.partitions: Mapping[int, int | None] | None = None  # replaced, never changed: it is read by others
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield both families with the series that are known now."""
        partitions = self.partitions
        total = GaugeMetricFamily(
            "season_lag_messages", "Messages not read yet; 0 when all is read, absent while it is not known."
        )
        by_partition = GaugeMetricFamily(
            "season_partition_lag_messages", "The same for each partition of this instance.", labels=["partition"]
        )
        known = {number: lag for number, lag in (partitions or {}).items() if lag is not None}
        for number, lag in sorted(known.items()):
            by_partition.add_metric([str(number)], lag)
        if partitions is not None and len(known) == len(partitions):
            total.add_metric([], sum(known.values()))
        yield total
        yield by_partition


class _Committed:
    """What is counted when a transaction has come to its end."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.readings = Counter("season_readings", "Messages read from the readings topic.", registry=registry)
        self.predictions = Counter(
            "season_predictions",
            "Predictions published, by label and by the season of the window's month.",
            ["label", "calendar_label"],
            registry=registry,
        )
        self.letters = Counter("season_dead_letters", "Dead letters written.", ["reason"], registry=registry)
        self.repeats = Counter(
            "season_repeats", "Readings equal to the one that stood for their hour.", registry=registry
        )
        self.corrections = Counter(
            "season_corrections", "Readings that replaced a different one of their hour.", registry=registry
        )
        self.lost = Counter(
            "season_lost_messages", "Offsets that were gone before they were read.", registry=registry
        )
        for labels in product(LABELS, LABELS):
            self.predictions.labels(*labels)
        for reason in REASONS:
            self.letters.labels(reason)


class _Transactions:
    """How transactions end, and how long their commits take."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.results = Counter(
            "season_transactions",
            "Transactions, by what became of them: committed, aborted (undone, and decided again), or expired: the "
            "broker's word on it was lost, and what was committed is read back.",
            ["result"],
            registry=registry,
        )
        self.seconds = Histogram(
            "season_commit_seconds",
            "Time that the commit of a transaction took.",
            buckets=_COMMIT_BUCKETS,
            registry=registry,
        )
        for result in (COMMITTED, ABORTED, EXPIRED):
            self.results.labels(result)


class _Partitions:
    """What is true now of the partitions that this instance has."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.windows = Gauge(
            "season_open_windows", "Windows with a reading that have not ended, scored or not.", registry=registry
        )
        self.lag = _Lag(registry)
        self.restoring_records = Gauge(
            "season_restoring_records",
            "Records of the changelog to be read before the readings of partitions that came flow.",
            registry=registry,
        )
        self.restoring = Gauge(
            "season_restoring_partitions",
            "Partitions of this instance whose readings do not flow before their changelog is read.",
            registry=registry,
        )
        self.held = Gauge(
            "season_held_messages",
            "Messages behind an open transaction of a publisher's, which nobody can read before it ends.",
            registry=registry,
        )
        self.waiting = Gauge(
            "season_waiting_seconds",
            "Seconds for which readings have waited while none was read; of all partitions the longest.",
            registry=registry,
        )


class _Model:
    """Which model is in force, and what became of new files."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.info = Gauge(
            "season_model_info",
            "1 for the model in force, as predictions name it.",
            ["name", "version"],
            registry=registry,
        )
        self.in_force: tuple[str, str] | None = None
        self.reloads = Counter(
            "season_model_reloads",
            "New model files at MODEL_PATH, by what became of them; a refused one leaves the running model.",
            ["result"],
            registry=registry,
        )
        for result in RELOADS:
            self.reloads.labels(result)


class Metrics:
    """The metrics of one process, in a registry of their own; may be read while they are written."""

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._committed = _Committed(self._registry)
        self._transactions = _Transactions(self._registry)
        self._partitions = _Partitions(self._registry)
        self._model = _Model(self._registry)
        ProcessCollector(registry=self._registry)

    def add(self, counted: Counted) -> None:
        """Count what a transaction that is now committed contains."""
        self._committed.readings.inc(counted.readings)
        self._committed.repeats.inc(counted.repeats)
        self._committed.corrections.inc(counted.corrections)
        for (label, calendar_label), count in counted.labels.items():
            self._committed.predictions.labels(label, calendar_label).inc(count)
        for reason, count in counted.reasons.items():
            self._committed.letters.labels(reason).inc(count)

    def committed(self, seconds: float) -> None:
        """Count a transaction that was committed; its commit took `seconds`."""
        self._transactions.seconds.observe(seconds)
        self._transactions.results.labels(COMMITTED).inc()

    def undone(self, expired: bool) -> None:
        """Count a transaction that was aborted or, where that is not known, `expired`."""
        self._transactions.results.labels(EXPIRED if expired else ABORTED).inc()

    def lost(self, messages: int) -> None:
        """Count offsets that were gone before they were read."""
        self._committed.lost.inc(messages)

    def gauges(self, open_windows: int, restoring_records: int, restoring_partitions: int) -> None:
        """Set what is true now of the partitions that this instance has."""
        self._partitions.windows.set(open_windows)
        self._partitions.restoring_records.set(restoring_records)
        self._partitions.restoring.set(restoring_partitions)

    def lag(self, partitions: Mapping[int, int | None] | None) -> None:
        """Set the lag of each partition of this instance, None where it is not known.

        None for all of them where it is not even known which partitions this instance has.
        """
        self._partitions.lag.partitions = partitions

    def model(self, name: str, version: str) -> None:
        """Set which model is in force."""
        before, self._model.in_force = self._model.in_force, (name, version)
        self._model.info.labels(name, version).set(1)
        if before not in {None, self._model.in_force}:
            self._model.info.remove(*before)

    def reloaded(self, result: str) -> None:
        """Count a new model file that was taken up or refused, one of `RELOADS`."""
        self._model.reloads.labels(result).inc()

    def waiting(self, held: int, seconds: float) -> None:
        """Set how many messages are held back, and for how long readings have waited."""
        self._partitions.held.set(held)
        self._partitions.waiting.set(seconds)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format, of the type `CONTENT_TYPE`."""
        return prometheus_client.generate_latest(self._registry)
