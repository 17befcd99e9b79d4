"""The loop: gather readings, decide them, write and commit all of it in one call, again.

What is true in memory changes with the commit alone. Whatever goes wrong with a transaction ends in `_go_back`: every
partition is again what was last committed. The callbacks of a rebalance only note which partitions are this
instance's: while readings are gathered no transaction is open, so that there is nothing to commit or abort in them.
"""

import threading
import time
from collections.abc import Callable, Mapping

import structlog

from consumer.adapters.decode import Decoded
from consumer.adapters.source import Polled
from consumer.adapters.transaction import AbortedError
from consumer.assignment import Assignment
from consumer.commit_policy import CommitPolicy
from consumer.decision import Decision
from consumer.monitor import Monitor
from consumer.partition import Partition
from consumer.reload import Models
from consumer.session import Session
from consumer.work import Work
from season.client.errors import ClientError
from season.client.message import KafkaMessage
from season.kafka import refuse

log = structlog.get_logger()

_IDLE_WAIT_S = 0.1  # the longest wait at an empty topic: signals and time are seen that often
_BUSY_WAIT_S = 0.002  # the same while a transaction is to be settled, or a changelog to be read
_RESTORE_WAIT_S = 0.01  # for the next records of a changelog


class _Gathered:
    """What was polled for one transaction: batches of messages with their readings, and what the polls met.

    `ends` are partitions' ends that were reached, `gone` partitions whose next offset is gone, `unreadable` offsets
    that come next and that no client can read.
    """

    def __init__(self) -> None:
        self.batches: list[tuple[int, list[KafkaMessage], Decoded]] = []
        self.ends: dict[int, int] = {}
        self.gone: list[int] = []
        self.unreadable: dict[int, range] = {}

    @property
    def may_go_on(self) -> bool:
        """Return whether the next poll's messages can be added: nothing may overtake what was met."""
        return not self.gone and not self.unreadable

    def add(self, polled: Polled, flowing: Mapping[int, Partition]) -> None:
        """Add what a poll brought, and decode it."""
        for number, messages in polled.messages.items():
            self.ends.pop(number, None)  # more came behind that end
            if number in flowing:
                self.batches.append((number, messages, flowing[number].pipeline.decode(messages)))
        self.ends |= polled.ends
        self.gone += polled.gone
        self.unreadable |= polled.unreadable


class Service:
    """One instance of the consumer. All of it runs on one thread; others set `stopped`.

    `wall` gives the wall clock in epoch seconds.
    """

    def __init__(
        self,
        *,
        session: Session,
        assignment: Assignment,
        policy: CommitPolicy,
        models: Models,
        monitor: Monitor,
        stopped: threading.Event,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._assignment = assignment
        self._policy = policy
        self._models = models
        self._monitor = monitor
        self._stopped = stopped
        self._wall = wall
        self._committing: Work | None = None
        self._idle_checked = time.monotonic()

    # The source calls these inside the client's callbacks, which must raise nothing.

    def assigned(self, partitions: list[int]) -> None:
        """Restore partitions that come before they flow."""
        log.info("partitions assigned", partitions=partitions)
        self._assignment.assign(partitions)

    def revoked(self, partitions: list[int]) -> None:
        """Forget partitions that go: what was gathered of them is the next owner's to read.

        What is being committed comes to its end before they go, so that it need not be done again.
        """
        log.info("partitions revoked", partitions=partitions)
        self._session.transactions.wait()
        self._forget(partitions)

    def lost(self, partitions: list[int]) -> None:
        """Forget partitions that are another's already."""
        log.warning("partitions lost", partitions=partitions)
        self._forget(partitions)

    def run(self) -> None:
        """Work until `stopped` is set.

        Raises SettingError, RefusedError, FencedError and ClientError, each of which ends the program.
        """
        self._session.source.subscribe(self)
        while not self._stopped.is_set():
            self._monitor.begin_turn()
            try:
                self._turn()
            except ClientError as error:
                self._wait_and_retry(error)
        self._leave()

    def _turn(self) -> None:
        """Do one turn of the loop: a transaction ends while the readings of the next are gathered and decoded."""
        gathered = self._gather()
        if self._settle():
            self._commit(self._decide(gathered))
        if gathered.gone:
            self._settle()
            # The offset to be read next is gone: the restored partition says from where it goes on.
            self._restore_again([number for number in gathered.gone if number in self._assignment.flowing])
        self._session.flow(self._assignment.restore(_RESTORE_WAIT_S))
        self._models.poll(time.monotonic())
        self._monitor.observe(self._session.source, self._assignment)

    def _gather(self) -> _Gathered:
        """Poll and decode until the commit interval is over, nothing more waits, or there is enough."""
        source, most, gathered = self._session.source, self._policy.most, _Gathered()
        busy = self._assignment.restoring or self._committing is not None
        polled = source.poll(_BUSY_WAIT_S if busy else _IDLE_WAIT_S, most)
        until, count = time.monotonic() + self._policy.interval, polled.count
        gathered.add(polled, self._assignment.flowing)
        while polled.count and gathered.may_go_on and count < most and time.monotonic() < until:
            polled = source.poll(0, most - count)
            count += polled.count
            gathered.add(polled, self._assignment.flowing)
        return gathered

    def _decide(self, gathered: _Gathered) -> Work:
        """Decide what came, and what time alone brings about; a partition that was revoked meanwhile is left out."""
        work, now, flowing = Work(time.monotonic()), self._wall(), self._assignment.flowing
        # Asked before anything is decided: the answer may be an exception.
        ends = {number: self._session.source.end(number) for number, *_ in gathered.batches if number in flowing}
        for partition in flowing.values():
            if not partition.begun:
                work.add(partition, partition.begin())
                if partition.lost:
                    work.commit_offset(partition)
        for number, messages, decoded in gathered.batches:
            if number in flowing:
                self._add(work, flowing[number], flowing[number].read(messages, decoded, now, ends[number]))
        for number, unreadable in gathered.unreadable.items():
            if number in flowing:
                self._add(work, flowing[number], flowing[number].skip(unreadable))
        for number, offset in gathered.ends.items():
            if number in flowing:
                flowing[number].reach_end(offset)
        self._end_idle(work)
        self._commit_offsets_alone(work)
        return work

    def _add(self, work: Work, partition: Partition, decision: Decision) -> None:
        work.add(partition, decision)
        self._monitor.decided(partition, decision)

    def _end_idle(self, work: Work) -> None:
        """End the windows of zones that have been silent for the idle timeout."""
        now = time.monotonic()
        # A process that stood still, or a broker that is away, says nothing of a zone's silence.
        passed = min(now - self._idle_checked, 1.0) if self._monitor.broker_answers else 0.0
        self._idle_checked = now
        for number, partition in self._assignment.flowing.items():
            # Where readings are behind another publisher's open transaction, the zones are not silent.
            if number not in self._monitor.held:
                work.add(partition, partition.end_idle(passed))

    def _commit_offsets_alone(self, work: Work) -> None:
        """Commit, from time to time, that the markers of a publisher's transactions are read too."""
        if self._policy.offsets_due(time.monotonic()):
            for partition in self._assignment.flowing.values():
                if partition.at_end and 0 <= partition.committed_offset < partition.next_offset:
                    work.commit_offset(partition)

    def _commit(self, work: Work) -> None:
        """Write what was decided, and begin to commit it. Raises FencedError, RefusedError."""
        if not work.partitions:
            return
        session = self._session
        # Scored before the transaction begins: a model may take its time, a transaction may not.
        outputs = list(work.outputs(self._models.current, session.topics, session.letter_bytes))
        work.began = time.monotonic()
        try:
            session.begin(outputs, work.next_offsets())
            self._committing = work
        except AbortedError as error:
            self._go_back(work, error)

    def _settle(self) -> bool:
        """Let what is being committed be the truth once it is committed; return False where it was not.

        Raises FencedError, RefusedError.
        """
        work, self._committing = self._committing, None
        if work is None:
            return True
        try:
            self._session.finish()
        except AbortedError as error:
            self._go_back(work, error)
            return False
        self._committed(work)
        return True

    def _leave(self) -> None:
        """Wait for what is being committed. Where it is not, the next start reads it again: nothing is taken back."""
        if self._committing is None:
            return
        try:
            self._session.finish()
        except AbortedError as error:
            log.warning("what was not committed yet is read again at the next start", error=str(error))
        else:
            self._committed(self._committing)

    def _committed(self, work: Work) -> None:
        """Let what was decided be the truth."""
        seconds = time.monotonic() - work.began
        self._policy.committed(work.tally.readings, seconds)
        self._monitor.committed(work.tally, seconds)
        # Only where it still flows: to seek in one that was revoked meanwhile would hand it to the client again.
        flowing = self._assignment.flowing
        self._session.flow(p for number, p in work.partitions.items() if p.skipped and flowing.get(number) is p)
        for partition in work.partitions.values():
            partition.committed()

    def _go_back(self, work: Work, error: AbortedError) -> None:
        """Make every partition what was last committed.

        Where nothing of the transaction is there for certain, its changes are rolled back in memory. Where that is
        not certain (another may have our id, or a call did not come back), the changelogs say what was committed.
        """
        self._policy.aborted(work.tally.readings)
        unknown = self._session.recover(error)
        self._monitor.aborted(unknown)
        if unknown:
            self._restore_again(list(self._assignment.flowing))
        self._roll_back()

    def _roll_back(self) -> None:
        """Read on behind what was last committed."""
        for partition in self._assignment.flowing.values():
            partition.rollback()
        self._session.flow(self._assignment.flowing.values())

    def _restore_again(self, partitions: list[int]) -> None:
        """Let partitions flow no more until they are restored."""
        self._assignment.doubt(partitions)
        self._session.source.pause(partitions)

    def _forget(self, partitions: list[int]) -> None:
        self._assignment.revoke(partitions)
        if not self._assignment.flowing and not self._assignment.restoring:
            self._session.writing.idle()

    def _wait_and_retry(self, error: ClientError) -> None:
        """Wait a moment, since the client cannot do what it is asked now; what was gathered is read again."""
        self._settle()
        refuse([error])
        if error.fatal:
            raise error
        self._monitor.complain(error)
        self._stopped.wait(_IDLE_WAIT_S)
        self._roll_back()
