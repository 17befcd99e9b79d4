"""The loop: take readings, decide, write all of it in one transaction, again.

A partition is in one of three places: being restored (`Restoring` has it, its readings are paused), flowing, or not
ours. Whatever goes wrong with a transaction ends in `_go_back`: every partition is again what was last committed.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import structlog
from confluent_kafka import KafkaError, KafkaException

from consumer.adapters.http import Status
from consumer.adapters.logs import Complaints
from consumer.adapters.metrics import Metrics
from consumer.adapters.probe import Probe
from consumer.adapters.source import Source, Taken
from consumer.adapters.transaction import AbortedError, ExpiredError, Transactions
from consumer.admission import Admission
from consumer.pace import Pace
from consumer.partition import Decision, Partition
from consumer.reload import Models
from consumer.restoring import Restoring
from consumer.results import Results, results
from consumer.settings import Settings
from consumer.standing import Held, Stalled
from consumer.writing import Writing
from season.kafka import murmur2_partition, refuse
from season.settings import SettingError
from season.topics import Described

log = structlog.get_logger()

_PAUSE = 0.1  # the longest look at an empty topic, in seconds: signals and time are seen that often
_PLACES = 5.0  # seconds between two commits of nothing but next offsets


@dataclass
class Tally:
    """What is counted of an open transaction, for the metrics once it is committed."""

    readings: int = 0
    repeats: int = 0
    corrections: int = 0
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


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
        self._tally = Tally()
        self._pace = Pace()
        self._failure: Exception | None = None
        self._undone: AbortedError | None = None
        self._looked = time.monotonic()
        self._placed = 0.0
        self._warned = False
        self._held = Held(log)
        self._stalled = Stalled(log)

    # The source tells of partitions inside the client's callbacks, which must raise nothing.

    def assigned(self, partitions: list[int]) -> None:
        """Partitions come: they are restored before they flow."""
        log.info("partitions assigned", partitions=partitions)
        self._restoring.want(partitions)
        self._tell_status()

    def revoked(self, partitions: list[int]) -> None:
        """Partitions go: what is in hand is committed first."""
        log.info("partitions revoked", partitions=partitions)
        self._guard(self._commit)
        self._guard(lambda: self._drop(partitions))

    def lost(self, partitions: list[int]) -> None:
        """Partitions are gone already: what is in hand is undone."""
        log.warning("partitions lost", partitions=partitions)
        self._guard(self._undo)
        self._guard(lambda: self._drop(partitions))

    def run(self) -> None:
        """Works until `stopped` is set, then commits what is in hand and leaves the group.

        Raises SettingError, RefusedError, FencedError and KafkaException, each of which ends the program.
        """
        self._source.subscribe(self)
        while not self._stopped.is_set():
            try:
                self._turn()
            except AbortedError as error:
                self._undone = error
                self._metrics.undone(isinstance(error, ExpiredError))
                self._stopped.wait(self._writing.aborted(error))
            except KafkaException as exception:
                self._bear(exception.args[0])
        self._leave()

    def _turn(self) -> None:
        """One turn of the loop."""
        self._status.beat()
        self._raise_failure()
        if self._undone is not None:
            self._go_back(self._undone)
        if self._probe.problem:
            raise SettingError(self._probe.problem)
        wait = 0 if self._transactions.open or self._restoring.partitions else _PAUSE
        taken = self._source.take(wait, self._pace.most - self._tally.readings)
        self._raise_failure()
        self._begin()
        self._decide(taken)
        self._restore()
        self._end_the_silent()
        self._keep_places()
        due = self._transactions.age >= self._settings.commit_interval or self._tally.readings >= self._pace.most
        if self._transactions.open and (due or not taken.messages):
            self._commit()
        if not self._transactions.open:
            self._models.poll(time.monotonic())
        self._measure()

    def _decide(self, taken: Taken) -> None:
        """Decides what came, scores all partitions' windows in one call, and writes what it comes to."""
        now = self._wall()
        # What was on its way when its partition was revoked or went back is not ours (any more).
        ours = {number: messages for number, messages in taken.messages.items() if number in self._partitions}
        # Asked before anything is decided: what is decided must be written, and the answer may be an exception.
        ends = {number: self._source.end(number) for number in ours}
        unreadable = {number: gone for number, gone in taken.unreadable.items() if number in self._partitions}
        decisions: list[tuple[Partition, Decision]] = []
        for number, messages in ours.items():
            partition = self._partitions[number]
            decisions.append((partition, partition.read(messages, now, ends[number])))
            self._tally.readings += len(messages)
        for number, gone in unreadable.items():
            partition = self._partitions[number]
            decisions.append((partition, partition.skip(self._topics.readings.name, gone)))
            self._tally.readings += len(gone)
        for number, offset in taken.ends.items():
            if number in self._partitions:
                self._partitions[number].reach_end(offset)
        self._write(decisions)
        for number in unreadable:
            self._source.start(number, self._partitions[number].following)
        for number in taken.gone:
            self._start_again(number)

    def _write(self, decisions: list[tuple[Partition, Decision]]) -> None:
        if not decisions:
            return
        self._transactions.begin()
        model = self._models.current
        logits = model.score(np.concatenate([decision.scorings.steps for _, decision in decisions]))
        start = 0
        for partition, decision in decisions:
            end = start + len(decision.scorings.steps)
            self._send(results(decision, partition.state, logits[start:end], model, self._letter_bytes))
            self._note(partition, decision)
            start = end

    def _send(self, done: Results) -> None:
        for key, value in done.predictions:
            self._transactions.send(self._topics.predictions.name, key, value)
        for letter in done.letters:
            self._transactions.send(self._topics.dead_letters.name, letter.key, letter.value, letter.headers)
        self._tally.labels.update(done.labels)
        self._tally.reasons.update(done.reasons)

    def _note(self, partition: Partition, decision: Decision) -> None:
        """Counts and logs what was decided."""
        self._tally.repeats += decision.repeats
        self._tally.corrections += decision.corrections
        calendar = partition.state.calendar
        names = partition.state.names.texts(decision.flattened.zones)
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

    def _commit(self) -> None:
        """Commits what is in hand, if anything is. AbortedError, FencedError."""
        if not self._transactions.open:
            return
        member = self._source.group_metadata()
        if member is None:
            raise self._transactions.abort("this member was thrown out of its group")
        dirty = {number: partition for number, partition in self._partitions.items() if partition.dirty}
        for number, partition in dirty.items():
            for key, value in partition.records():
                self._transactions.send(self._topics.changelog.name, key, value, partition=number)
        following = {number: partition.following for number, partition in dirty.items()}
        age, began = self._transactions.age, time.monotonic()
        self._transactions.commit(self._source.offsets(following), member)
        seconds = time.monotonic() - began
        self._pace.committed(self._tally.readings, age + seconds - self._settings.commit_interval)
        self._status.answered()
        self._metrics.committed(seconds)
        self._writing.committed()
        self._metrics.add(self._tally)
        self._metrics.lost(sum(partition.lost for partition in dirty.values()))
        self._tally = Tally()
        for partition in dirty.values():
            partition.committed()

    def _restore(self) -> None:
        """Reads on in the changelogs of partitions that came; those that are whole flow."""
        if not self._restoring.partitions:
            return
        whole = self._restoring.proceed(0 if self._transactions.open else 0.01)
        self._partitions |= whole
        for number, partition in whole.items():
            self._source.start(number, partition.following)
        self._tell_status()

    def _begin(self) -> None:
        """What is to be committed of partitions that were restored, or went back, before anything is read of them."""
        begun = [partition for partition in self._partitions.values() if not partition.begun]
        for partition in begun:
            if partition.lost:
                self._keep(partition)
        over = [(partition, partition.begin()) for partition in begun]
        self._write([(partition, decision) for partition, decision in over if decision is not None])

    def _end_the_silent(self) -> None:
        now = time.monotonic()
        # A process that stood still, or a broker that is away, says nothing of a zone's silence.
        passed = min(now - self._looked, 1.0) if self._status.broker_answers() else 0.0
        self._looked = now
        decisions = []
        for number, partition in self._partitions.items():
            if number in self._held.standing:
                continue  # its zones are not silent: what they sent is behind another publisher's open transaction
            decision = partition.end_the_silent(passed)
            if decision is not None:
                decisions.append((partition, decision))
        self._write(decisions)

    def _keep_places(self) -> None:
        """Commits, from time to time, that the markers of a publisher's transactions are read too."""
        now = time.monotonic()
        if now - self._placed < _PLACES:
            return
        self._placed = now
        for partition in self._partitions.values():
            if partition.at_end and 0 <= partition.kept < partition.following and not partition.dirty:
                self._keep(partition)

    def _keep(self, partition: Partition) -> None:
        """The partition's next offset is to be committed, though nothing was decided."""
        self._transactions.begin()
        partition.dirty = True

    def _go_back(self, error: AbortedError) -> None:
        """After an abort every partition is what was last committed.

        Where nothing of the transaction is there for certain, its changes are undone in memory. Where that is not
        certain (another may have our id, or a call did not come back), the changelogs say what was committed.
        """
        self._pace.aborted(self._tally.readings)
        self._tally = Tally()
        if isinstance(error, ExpiredError):
            self._transactions.take_id(self._writing.waiting)
            self._read_back(list(self._partitions))  # the others are on their way already
        for number, partition in self._partitions.items():
            partition.undo()
            self._source.start(number, partition.following)
        self._undone = None

    def _start_again(self, number: int) -> None:
        """The offset to be read next is gone: restore the partition, which says from where it goes on."""
        if number not in self._partitions:
            return
        self._commit()
        self._read_back([number])

    def _read_back(self, partitions: list[int]) -> None:
        """These flow no more until they are restored."""
        for number in partitions:
            del self._partitions[number]
        self._restoring.want(partitions)
        self._tell_status()
        self._source.pause(partitions)

    def _undo(self) -> None:
        if self._transactions.open:
            raise self._transactions.abort("its partitions were lost")

    def _drop(self, partitions: list[int]) -> None:
        for number in partitions:
            self._partitions.pop(number, None)
            self._restoring.drop(number)
        if not self._partitions and not self._restoring.partitions:
            self._writing.idle()
        self._tell_status()

    def _guard(self, call: Callable[[], object]) -> None:
        """Keeps an exception for the loop: raised in a callback it would lose messages."""
        try:
            call()
        except Exception as error:
            self._failure = self._failure or error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _bear(self, error: KafkaError) -> None:
        """The client cannot do what it is asked now: what it had given and was not decided is read again."""
        refuse([error])
        if error.fatal():
            raise KafkaException(error)
        self._complaints(error)
        self._stopped.wait(_PAUSE)
        for number, partition in self._partitions.items():
            self._source.start(number, partition.following)

    def _leave(self) -> None:
        try:
            self._commit()
        except AbortedError as error:
            log.warning("what was in hand is dropped, and read again at the next start", error=str(error))

    def _tell_status(self) -> None:
        self._status.partitions(set(self._partitions) | self._restoring.partitions, set(self._partitions))

    def _look_at_what_waits(self) -> None:
        """Tell, and measure, readings that wait while none is read."""
        now, following = time.monotonic(), {n: partition.following for n, partition in self._partitions.items()}
        self._probe.watch(frozenset(following))
        ends = self._probe.ends
        quota = "a quota of the broker's, which lets this client fetch less than is published"
        causes = dict.fromkeys(following, quota) if self._source.throttled() else {}
        held = self._held.observe(ends, now, self._wall())
        self._metrics.waiting(held, self._stalled.observe(following, ends, now, causes))

    def _measure(self) -> None:
        self._look_at_what_waits()
        outside, answers = self._source.outside(), self._status.broker_answers()
        self._status.membership(self._admission.observe(outside, answers, time.monotonic()))
        windows = sum(partition.state.open_windows for partition in self._partitions.values())
        restoring = self._restoring.partitions
        self._metrics.gauges(windows, self._restoring.left(), len(restoring))
        lags = {n: p.lag(self._source.known_end(n)) for n, p in self._partitions.items()}
        self._metrics.lag(dict.fromkeys(restoring) | lags if outside is None and answers else None)
