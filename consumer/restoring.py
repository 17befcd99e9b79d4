"""Restores the partitions that are assigned to this instance, before their readings flow."""

import time
from collections.abc import Iterable

import structlog

from consumer.adapters.restore import Restored, Restorer
from consumer.core.idle import IdleZones
from consumer.partition import Partition
from consumer.placement import placement_of
from consumer.settings import Settings
from season.calendar import Calendar
from season.topics import Described

log = structlog.get_logger()

_REPORT_INTERVAL_S = 5.0  # seconds between two lines about a restore


class Restoring:
    """The partitions that are being restored. Not for use by several threads."""

    def __init__(self, settings: Settings, topics: Described, restorer: Restorer, calendar: Calendar) -> None:
        self._settings = settings
        self._topics = topics
        self._restorer = restorer
        self._calendar = calendar
        self._wanted: set[int] = set()  # not started yet
        self._unwanted: set[int] = set()  # started, and revoked since
        self._reported = 0.0

    @property
    def partitions(self) -> set[int]:
        """Return the partitions that are being restored, or wait for it."""
        return self._wanted | (self._restorer.partitions - self._unwanted)

    @property
    def idle(self) -> bool:
        """Return whether there is nothing to restore."""
        return not self._wanted and not self._restorer.partitions

    def want(self, partitions: Iterable[int]) -> None:
        """Restore these partitions, from the next `proceed` on. This never fails, so a callback may call it."""
        self._wanted.update(partitions)

    def drop(self, number: int) -> None:
        """Restore a partition no more, from the next `proceed` on. This never fails, so a callback may call it."""
        self._wanted.discard(number)
        self._unwanted.add(number)

    def proceed(self, wait: float) -> dict[int, Partition]:
        """Read on for at most `wait` seconds; return the partitions that are restored now.

        Raises RefusedError, KafkaException, and SettingError where a state does not belong to the readings.
        """
        self._begin()
        restored = self._restorer.proceed(wait)
        partitions = {number: self._placed(number, restored) for number, restored in restored.items()}
        self._report()
        return partitions

    def left(self) -> int:
        """Return how many offsets of changelogs are still to be read, as far as is known."""
        return sum(self._restorer.left().values())

    def _begin(self) -> None:
        while self._unwanted:
            self._restorer.drop(self._unwanted.pop())
        for number in list(self._wanted):
            self._restorer.begin(number)
            self._wanted.discard(number)
            self._reported = time.monotonic()

    def _placed(self, number: int, restored: Restored) -> Partition:
        """Return the partition of a restored state, at the offset where it goes on. Raises SettingError."""
        placement = placement_of(number, restored, self._topics, self._calendar)
        if placement.lost:
            log.error("readings are lost", partition=number, messages=placement.lost, why=placement.why)
        zones, windows = restored.state.known, restored.state.open_windows
        log.info("partition restored", partition=number, offset=placement.offset, zones=zones, open_windows=windows)
        return Partition(
            number=number,
            partitions=self._topics.readings.partitions,
            rules=self._settings.rules,
            topic_id=self._topics.readings.topic_id,
            state=restored.state,
            changelog=restored.changelog,
            idle_zones=IdleZones(self._settings.idle_timeout),
            next_offset=placement.offset,
            committed_offset=-1 if restored.origin is None else restored.origin.offset,
            lost=placement.lost,
        )

    def _report(self) -> None:
        now = time.monotonic()
        if self._restorer.partitions and now - self._reported >= _REPORT_INTERVAL_S:
            self._reported = now
            log.info("restoring", records_left=self._restorer.left())
