"""The loop: gather readings, decide each partition once, write and commit all of it in one call, again.

What is true in memory changes with the commit alone. Whatever goes wrong with a transaction ends in `_go_back`: every
partition is again what was last committed. The callbacks of a rebalance only note which partitions are this
instance's: while readings are gathered no transaction is open, so that there is nothing to commit or abort in them.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping

import structlog
from confluent_kafka import KafkaError, KafkaException, Message

from consumer.adapters.decode import Decoded
from consumer.adapters.http import Status
from consumer.adapters.logs import Complaints
from consumer.adapters.metrics import Metrics
from consumer.adapters.probe import Probe
from consumer.adapters.source import Polled, Source
from consumer.adapters.transaction import AbortedError, ExpiredError, Output, Transactions
from consumer.admission import Admission
from consumer.pace import TransactionLimit
from consumer.partition import Decision, Partition
from consumer.reload import Models
from consumer.restoring import Restoring
from consumer.settings import Settings
from consumer.standing import HeldReadings, StalledReadings
from consumer.work import Work
from consumer.writing import Writing
from season.kafka import murmur2_partition, refuse
from season.settings import SettingError
from season.topics import Described

log = structlog.get_logger()

_IDLE_WAIT_S = 0.1  # the longest look at an empty topic: signals and time are seen that often
_BUSY_WAIT_S = 0.002  # the same while a transaction is to be settled, or a changelog to be read
_OFFSETS_S = 5.0  # between two commits of nothing but next offsets


class Service:
    """One instance of the consumer. All of it runs on one thread; others set `stopped`."""

    def __init__(
        self,
        settings: Settings,
        topics: Described,
        letter_bytes: int,
        source: Source,
        admission: Admission,
        restoring: Restoring,
        transactions: Transactions,
        writing: Writing,
        models: Models,
        status: Status,
        metrics: Metrics,
        probe: Probe,
        complaints: Complaints,
        stopped: threading.Event,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._letter_bytes = letter_bytes
        self._source = source
        self._admission = admission
        self._restoring = restoring
        self._transactions = transactions
        self._writing = writing
        self._models = models
        self._status = status
        self._metrics = metrics
        self._probe = probe
        self._complaints = complaints
        self._stopped = stopped
        self._wall = wall
        self._partitions: dict[int, Partition] = {}
        self._committing: Work | None = None
        self._pace = TransactionLimit()
        self._looked = time.monotonic()
        self._offsets_committed_at = 0.0
        self._warned = False
        self._held = HeldReadings(log)
        self._stalled = StalledReadings(log)

    # The source tells of partitions inside the client's callbacks, which must raise nothing.

    def assigned(self, partitions: list[int]) -> None:
        """Restore partitions that come before they flow."""
        log.info("partitions assigned", partitions=partitions)
        self._restoring.want(partitions)
        self._tell_status()

    def revoked(self, partitions: list[int]) -> None:
        """Forget partitions that go: what was gathered of them is the next owner's to read.

        What is being committed comes to its end before they go, so that it need not be done again.
        """
        log.info("partitions revoked", partitions=partitions)
        self._transactions.wait()
        self._drop(partitions)

    def lost(self, partitions: list[int]) -> None:
        """Forget partitions that are another's already."""
        log.warning("partitions lost", partitions=partitions)
        self._drop(partitions)

    def run(self) -> None:
        """Work until `stopped` is set.

        Raises SettingError, RefusedError, FencedError and KafkaException, each of which ends the program.
        """
        self._source.subscribe(self)
        while not self._stopped.is_set():
            self._status.beat()
            if self._probe.problem:
                raise SettingError(self._probe.problem)
            try:
                self._turn()
            except KafkaException as exception:
                self._wait_out(exception.args[0])
        self._settle()

    def _turn(self) -> None:
        """One turn of the loop: the last transaction ends while the readings of the next are gathered and decoded."""
        taken = self._gather()
        decoded = {
            number: self._partitions[number].decode(messages) for number, messages in self._ours(taken).items()
        }
        if self._settle():
            self._commit(self._decide(taken, decoded))
        if taken.gone:
            self._settle()
            # The offset to be read next is gone: the restored partition says from where it goes on.
            self._read_back([number for number in taken.gone if number in self._partitions])
        self._restore()
        self._models.poll(time.monotonic())
        self._measure()

    def _gather(self) -> Polled:
        """Take what is there until the commit interval is over, nothing more waits, or there is enough."""
        busy = self._restoring.partitions or self._committing is not None
        taken = self._source.poll(_BUSY_WAIT_S if busy else _IDLE_WAIT_S, self._pace.most)
        until = time.monotonic() + self._settings.commit_interval
        while taken.may_go_on and taken.count < self._pace.most and time.monotonic() < until:
            more = self._source.poll(0, self._pace.most - taken.count)
            taken.add(more)
            if not more.count:
                break
        return taken

    def _decide(self, taken: Polled, decoded: Mapping[int, Decoded]) -> Work:
        """Decide what came, and what time alone brings about."""
        work, now = Work(), self._wall()
        ours = self._ours(taken)
        # Asked before anything is decided: the answer may be an exception.
        ends = {number: self._source.end(number) for number in ours}
        for partition in self._partitions.values():
            if not partition.begun:
                work.add(partition, partition.begin())
                if partition.lost:
                    work.keep_offset(partition)
        for number, messages in ours.items():
            self._add(
                work,
                self._partitions[number],
                self._partitions[number].read(messages, decoded[number], now, ends[number]),
            )
        for number, gone in taken.unreadable.items():
            if number in self._partitions:
                self._add(
                    work, self._partitions[number], self._partitions[number].skip(self._topics.readings.name, gone)
                )
        for number, offset in taken.ends.items():
            if number in self._partitions:
                self._partitions[number].reach_end(offset)
        self._end_idle(work)
        self._keep_offsets(work)
        return work

    def _ours(self, taken: Polled) -> dict[int, list[Message]]:
        """Return what was gathered, but of partitions that were revoked, or have to be restored again, since then."""
        return {number: messages for number, messages in taken.messages.items() if number in self._partitions}

    def _add(self, work: Work, partition: Partition, decision: Decision) -> None:
        work.add(partition, decision)
        self._note(partition, decision)

    def _end_idle(self, work: Work) -> None:
        now = time.monotonic()
        # A process that stood still, or a broker that is away, says nothing of a zone's silence.
        passed = min(now - self._looked, 1.0) if self._status.broker_answers() else 0.0
        self._looked = now
        for number, partition in self._partitions.items():
            if number in self._held.standing:
                continue  # its zones are not silent: what they sent is behind another publisher's open transaction
            work.add(partition, partition.end_idle(passed))

    def _keep_offsets(self, work: Work) -> None:
        """Commit, from time to time, that the markers of a publisher's transactions are read too."""
        now = time.monotonic()
        if now - self._offsets_committed_at < _OFFSETS_S:
            return
        self._offsets_committed_at = now
        for partition in self._partitions.values():
            if partition.at_end and 0 <= partition.committed_offset < partition.next_offset:
                work.keep_offset(partition)

    def _commit(self, work: Work) -> None:
        """Write what was decided, and start to commit it. FencedError, RefusedError."""
        if not work.partitions:
            return
        work.began = time.monotonic()
        try:
            member = self._source.group_metadata()
            if member is None:
                raise AbortedError("this member was thrown out of its group")
            offsets = {number: partition.next_offset for number, partition in work.partitions.items()}
            # Scored before the transaction begins: a model may take its time, a transaction may not.
            outputs = list(self._outputs(work))
            self._transactions.start(outputs, self._source.offsets(offsets), member)
            self._committing = work
        except AbortedError as error:
            self._go_back(work, error)

    def _settle(self) -> bool:
        """Let what is being committed be the truth once it is committed; return False where it was not.

        FencedError, RefusedError.
        """
        work, self._committing = self._committing, None
        if work is None:
            return True
        try:
            self._transactions.finish()
        except AbortedError as error:
            self._go_back(work, error)
            return False
        seconds = time.monotonic() - work.began
        self._pace.committed(work.tally.readings, seconds)
        self._status.answered()
        self._metrics.committed(seconds)
        self._writing.committed()
        self._metrics.add(work.tally)
        self._metrics.lost(work.tally.lost)
        for number, partition in work.partitions.items():
            if partition.skipped:
                self._source.start(number, partition.next_offset)
            partition.committed()
        return True

    def _outputs(self, work: Work) -> Iterator[Output]:
        """Yield the transaction's messages: predictions and dead letters, then the changelog's records."""
        for written in work.results(self._models.current, self._letter_bytes):
            for key, value in written.predictions:
                yield self._topics.predictions.name, key, value, None, -1
            for letter in written.letters:
                yield self._topics.dead_letters.name, letter.key, letter.value, letter.headers, -1
        for number, partition in work.partitions.items():
            for record_key, record in partition.records():
                yield self._topics.changelog.name, record_key, record, None, number

    def _go_back(self, work: Work, error: AbortedError) -> None:
        """Make every partition what was last committed.

        Where nothing of the transaction is there for certain, its changes are rolled back in memory. Where that is
        not certain (another may have our id, or a call did not come back), the changelogs say what was committed.
        """
        self._metrics.undone(isinstance(error, ExpiredError))
        self._stopped.wait(self._writing.aborted(error))
        self._pace.aborted(work.tally.readings)
        if isinstance(error, ExpiredError):
            self._transactions.acquire_id(self._writing.waiting)
            self._read_back(list(self._partitions))  # the others are on their way already
        for number, partition in self._partitions.items():
            partition.rollback()
            self._source.start(number, partition.next_offset)

    def _read_back(self, partitions: list[int]) -> None:
        """Let these flow no more until they are restored."""
        for number in partitions:
            del self._partitions[number]
        self._restoring.want(partitions)
        self._tell_status()
        self._source.pause(partitions)

    def _restore(self) -> None:
        """Read on in the changelogs of partitions that came; those that are whole flow."""
        if self._restoring.idle:
            return
        restored = self._restoring.proceed(0.01)
        self._partitions |= restored
        for number, partition in restored.items():
            self._source.start(number, partition.next_offset)
        self._tell_status()

    def _drop(self, partitions: list[int]) -> None:
        for number in partitions:
            self._partitions.pop(number, None)
            self._restoring.drop(number)
        if not self._partitions and not self._restoring.partitions:
            self._writing.idle()
        self._tell_status()

    def _wait_out(self, error: KafkaError) -> None:
        """Wait a moment: the client cannot do what it is asked now. What it had given is read again."""
        self._settle()
        refuse([error])
        if error.fatal():
            raise KafkaException(error)
        self._complaints(error)
        self._stopped.wait(_IDLE_WAIT_S)
        for number, partition in self._partitions.items():
            partition.rollback()
            self._source.start(number, partition.next_offset)

    def _note(self, partition: Partition, decision: Decision) -> None:
        """Log what of a decision a person should know."""
        names, calendar = partition.state.names.texts(decision.flattened.zones), partition.state.calendar
        for name, day in zip(names, decision.flattened.days.tolist(), strict=True):
            date = calendar.date(day).isoformat()
            log.warning("a correction made a scored window constant; nothing is published", zone=name, date=date)
        if self._warned:
            return
        for name in decision.names:
            expected = murmur2_partition(name.encode(), partition.partitions)
            if expected != partition.number:
                self._warned = True
                log.warning(
                    "a zone is on another partition than Java's partitioner (murmur2) chooses: its publisher uses "
                    "another one, and a zone from two such publishers is two halves",
                    zone=name,
                    partition=partition.number,
                    murmur2=expected,
                )
                return

    def _tell_status(self) -> None:
        self._status.partitions(set(self._partitions) | self._restoring.partitions, set(self._partitions))

    def _measure_waiting(self) -> None:
        """Tell, and measure, readings that wait while none is read."""
        now, next_offsets = time.monotonic(), {n: partition.next_offset for n, partition in self._partitions.items()}
        self._probe.watch(frozenset(next_offsets))
        ends = self._probe.ends
        quota = "a quota of the broker's, which lets this client fetch less than is published"
        causes = dict.fromkeys(next_offsets, quota) if self._source.throttled() else {}
        held = self._held.observe(ends, now, self._wall())
        self._metrics.waiting(held, self._stalled.observe(next_offsets, ends, now, causes))

    def _measure(self) -> None:
        self._measure_waiting()
        outside, answers = self._source.outside(), self._status.broker_answers()
        self._status.membership(self._admission.observe(outside, answers, time.monotonic()))
        windows = sum(partition.state.open_windows for partition in self._partitions.values())
        restoring = self._restoring.partitions
        self._metrics.gauges(windows, self._restoring.left(), len(restoring))
        lags = {n: p.lag(self._source.known_end(n)) for n, p in self._partitions.items()}
        self._metrics.lag(dict.fromkeys(restoring) | lags if outside is None and answers else None)
