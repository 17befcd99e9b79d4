"""What people and machines learn of the running loop: metrics, /readyz and /healthz, and warnings in the log."""

import time
from collections.abc import Callable, Iterable

import structlog

from consumer.adapters.http import Status
from consumer.adapters.logs import Complaints
from consumer.adapters.metrics import Metrics
from consumer.adapters.probe import Probe
from consumer.adapters.source import Source
from consumer.admission import Admission
from consumer.assignment import Assignment
from consumer.decision import Decision
from consumer.partition import Partition
from consumer.standing import HeldReadings, StalledReadings
from consumer.work import TransactionTally
from season.client.errors import ClientError
from season.kafka import murmur2_partition
from season.settings import SettingError

log = structlog.get_logger()

_QUOTA = "a quota of the broker's, which lets this client fetch less than is published"


class Monitor:
    """Told by the loop what happens, and looks once a turn. `wall` is the wall clock in epoch seconds."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        status: Status,
        probe: Probe,
        admission: Admission,
        complaints: Complaints,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._metrics = metrics
        self._status = status
        self._probe = probe
        self._admission = admission
        self._complaints = complaints
        self._wall = wall
        self._held = HeldReadings(log)
        self._stalled = StalledReadings(log)
        self._warned_of_partitioner = False

    @property
    def held(self) -> frozenset[int]:
        """Return the partitions whose readings are behind another publisher's open transaction."""
        return self._held.standing

    @property
    def broker_answers(self) -> bool:
        """Return whether the broker has answered lately."""
        return self._status.broker_answers()

    def begin_turn(self) -> None:
        """Note that the loop is alive. Raises SettingError where a topic has changed under it."""
        self._status.beat()
        if self._probe.problem:
            raise SettingError(self._probe.problem)

    def committed(self, tally: TransactionTally, seconds: float) -> None:
        """Count a transaction that was committed, which took so many seconds."""
        self._status.answered()
        self._metrics.committed(seconds)
        self._metrics.add(tally)
        self._metrics.lost(tally.lost)

    def aborted(self, unknown: bool) -> None:
        """Count a transaction that was not committed, or where that is `unknown`."""
        self._metrics.undone(unknown)

    def complain(self, error: ClientError) -> None:
        """Log that the client cannot do what it is asked, but not each time."""
        self._complaints(error)

    def decided(self, partition: Partition, decision: Decision) -> None:
        """Log what of a decision a person should know."""
        state = partition.pipeline.state
        names = state.names.texts(decision.flattened.zones)
        for name, day in zip(names, decision.flattened.days.tolist(), strict=True):
            date = state.calendar.date(day).isoformat()
            log.warning("a correction made a scored window constant; nothing is published", zone=name, date=date)
        if not self._warned_of_partitioner:
            self._check_partitioner(partition, decision.names)

    def observe(self, source: Source, assignment: Assignment) -> None:
        """Look at all that is true now, once a turn."""
        now, flowing = time.monotonic(), assignment.flowing
        self._observe_waiting(source, flowing.values(), now)
        outside, answers = source.outside(), self.broker_answers
        self._status.membership(self._admission.observe(outside, answers, now))
        restoring = assignment.restoring
        windows = sum(partition.pipeline.state.open_windows for partition in flowing.values())
        self._metrics.gauges(windows, assignment.records_left(), len(restoring))
        lags = {number: partition.lag(source.known_end(number)) for number, partition in flowing.items()}
        self._metrics.lag(dict.fromkeys(restoring) | lags if outside is None and answers else None)

    def _observe_waiting(self, source: Source, flowing: Iterable[Partition], now: float) -> None:
        """Log and measure readings that wait while none is read."""
        next_offsets = {partition.number: partition.next_offset for partition in flowing}
        self._probe.watch(frozenset(next_offsets))
        ends = self._probe.ends
        causes = dict.fromkeys(next_offsets, _QUOTA) if source.throttled() else {}
        held = self._held.observe(ends, now, self._wall())
        self._metrics.waiting(held, self._stalled.observe(next_offsets, ends, now, causes))

    def _check_partitioner(self, partition: Partition, names: Iterable[str]) -> None:
        """Warn, once in a process, of a zone on another partition than Java's partitioner chooses."""
        for name in names:
            expected = murmur2_partition(name.encode(), partition.pipeline.partitions)
            if expected != partition.number:
                self._warned_of_partitioner = True
                log.warning(
                    "a zone is on another partition than Java's partitioner (murmur2) chooses: its publisher uses "
                    "another one, and a zone from two such publishers is two halves",
                    zone=name,
                    partition=partition.number,
                    murmur2=expected,
                )
                return
