"""The partitions of this instance, each in a phase, and the events that lead from one phase to the next.

    event         not ours   WANTED      RESTORING   FLOWING
    ASSIGNED      WANTED     WANTED      WANTED      WANTED
    BEGUN                    RESTORING
    RESTORED                             FLOWING
    DOUBTED                  WANTED      RESTORING   WANTED
    REVOKED       not ours   not ours    not ours    not ours

A partition that is assigned again is restored again: another instance may have had it in between. It is doubted where
it is not known what was committed of it, or where the offset to be read next is gone.
"""

import enum
import time
from collections.abc import Callable, Iterable

import structlog

from consumer.adapters.restore import Restored, Restorer
from consumer.core.idle import IdleZones
from consumer.partition import Partition
from consumer.pipeline import Pipeline
from consumer.placement import placement_of
from consumer.settings import Settings
from season.calendar import Calendar
from season.topics import Described

log = structlog.get_logger()

_REPORT_INTERVAL_S = 5.0  # seconds between two lines about a restore


class Phase(enum.Enum):
    """What happens with a partition of this instance."""

    WANTED = "waits until its restore begins"
    RESTORING = "its changelog is being read"
    FLOWING = "its readings are read and decided"


class Event(enum.Enum):
    """What leads from one phase to another."""

    ASSIGNED = "the group gives the partition to this instance"
    BEGUN = "its restore has begun"
    RESTORED = "its changelog is read to the end"
    DOUBTED = "its state has to be restored again"
    REVOKED = "the group takes it away, or has given it to another"


_NEXT: dict[Event, dict[Phase | None, Phase | None]] = {
    Event.ASSIGNED: dict.fromkeys([None, *Phase], Phase.WANTED),
    Event.BEGUN: {Phase.WANTED: Phase.RESTORING},
    Event.RESTORED: {Phase.RESTORING: Phase.FLOWING},
    Event.DOUBTED: {
        Phase.WANTED: Phase.WANTED,
        Phase.RESTORING: Phase.RESTORING,
        Phase.FLOWING: Phase.WANTED,
    },
    Event.REVOKED: dict.fromkeys([None, *Phase], None),
}


class Assignment:
    """The partitions and their phases. Not for use by several threads.

    `changed` gets, after each event, all partitions of this instance and those of them that flow.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        topics: Described,
        restorer: Restorer,
        calendar: Calendar,
        changed: Callable[[set[int], set[int]], None],
    ) -> None:
        self.flowing: dict[int, Partition] = {}
        self._phases: dict[int, Phase] = {}
        self._settings = settings
        self._topics = topics
        self._restorer = restorer
        self._calendar = calendar
        self._changed = changed
        self._reported = 0.0

    @property
    def restoring(self) -> set[int]:
        """Return the partitions that do not flow yet."""
        return set(self._phases) - set(self.flowing)

    def assign(self, partitions: Iterable[int]) -> None:
        """Restore these partitions, from the next `restore` on. This never fails, so a callback may call it."""
        self._happen(Event.ASSIGNED, partitions)

    def revoke(self, partitions: Iterable[int]) -> None:
        """Forget these partitions. This never fails, so a callback may call it."""
        self._happen(Event.REVOKED, partitions)

    def doubt(self, partitions: Iterable[int]) -> None:
        """Restore these partitions again, unless they are being restored already."""
        self._happen(Event.DOUBTED, partitions)

    def restore(self, wait: float) -> list[Partition]:
        """Read changelogs for at most `wait` seconds; return the partitions that flow from now on.

        Raises RefusedError, ClientError, and SettingError where a state does not belong to the readings.
        """
        self._begin()
        if not self._restorer.partitions:
            return []
        restored = self._restorer.proceed(wait)
        partitions = [self._placed(number, found) for number, found in restored.items()]
        self.flowing |= {partition.number: partition for partition in partitions}
        self._happen(Event.RESTORED, restored)
        self._report()
        return partitions

    def records_left(self) -> int:
        """Return how many offsets of changelogs are still to be read, as far as is known."""
        return sum(self._restorer.left().values())

    def _happen(self, event: Event, partitions: Iterable[int]) -> None:
        for number in partitions:
            phase = _NEXT[event][self._phases.get(number)]
            if phase is None:
                self._phases.pop(number, None)
            else:
                self._phases[number] = phase
            if phase is not Phase.FLOWING:
                self.flowing.pop(number, None)
        self._changed(set(self._phases), set(self.flowing))

    def _begin(self) -> None:
        """Begin the restores that are wanted, and end those that are not wanted any more."""
        wanted = [number for number, phase in self._phases.items() if phase is Phase.WANTED]
        restoring = {number for number, phase in self._phases.items() if phase is Phase.RESTORING}
        for number in self._restorer.partitions - restoring:
            self._restorer.drop(number)
        for number in wanted:
            self._restorer.begin(number)
            self._happen(Event.BEGUN, [number])
            self._reported = time.monotonic()

    def _placed(self, number: int, restored: Restored) -> Partition:
        """Return the partition of a restored state, at the offset where it goes on. Raises SettingError."""
        placement = placement_of(number, restored, self._topics, self._calendar)
        if placement.lost:
            log.error("readings are lost", partition=number, messages=placement.lost, why=placement.why)
        zones, windows = restored.state.known, restored.state.open_windows
        log.info("partition restored", partition=number, offset=placement.offset, zones=zones, open_windows=windows)
        pipeline = Pipeline(
            state=restored.state,
            rules=self._settings.rules,
            partitions=self._topics.readings.partitions,
            idle_zones=IdleZones(self._settings.idle_timeout),
        )
        return Partition(
            number=number,
            pipeline=pipeline,
            topic=self._topics.readings,
            changelog=restored.changelog,
            next_offset=placement.offset,
            committed_offset=-1 if restored.origin is None else restored.origin.offset,
            lost=placement.lost,
        )

    def _report(self) -> None:
        now = time.monotonic()
        if self._restorer.partitions and now - self._reported >= _REPORT_INTERVAL_S:
            self._reported = now
            log.info("restoring", records_left=self._restorer.left())
