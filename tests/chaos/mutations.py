"""The service with one of its safeties taken out, by name: what the chaos must notice, or the reason why it cannot.

Like the fault points, they wrap the production code by name, in a member's process, and exist in these tests alone.
"""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from consumer import assignment, partition, service, session
from consumer.adapters import asked, restore, source, transaction
from consumer.adapters.restore import Restored
from consumer.core.changelog import Changelog
from consumer.core.state import State
from consumer.placement import Placement
from season.client.producer import producer_client
from season.kafka import merged_properties
from tests.chaos import faults


@dataclass(frozen=True)
class Mutation:
    """What is taken out; the faults it was for, by their names (none: any), and the group protocol.

    `survives` says why no run can notice it, or hardly one, where that is so.
    """

    what: str
    take_out: Callable[[], None]
    faults: tuple[str, ...] = ()
    protocol: str = "classic"
    survives: str = ""


def _put(owner: Any, name: str, new: Any) -> None:
    """Puts something in the place of what is there, by name."""
    assert hasattr(owner, name), f"{owner} has no {name}: the mutation has to follow the code"
    setattr(owner, name, new)


def _no_generation() -> None:
    def metadata(self: source.Source) -> Any:
        return self.never_joined.consumer_group_metadata()  # type: ignore[attr-defined]

    init = source.Source.__init__

    def made(self: source.Source, environ: Mapping[str, str], group: str, *more: Any) -> None:
        init(self, environ, group, *more)
        self.never_joined = Consumer(  # type: ignore[attr-defined]
            {"bootstrap.servers": environ["KAFKA_BOOTSTRAP_SERVERS"], "group.id": group}
        )

    _put(source.Source, "__init__", made)
    _put(source.Source, "group_metadata", metadata)


def _random_id() -> None:
    init = transaction.Transactions.__init__

    def made(self: transaction.Transactions, environ: Mapping[str, str], name: str, *more: Any) -> None:
        init(self, environ, f"{name}-{uuid.uuid4()}", *more)

    _put(transaction.Transactions, "__init__", made)


def _no_fence() -> None:
    _no_generation()
    _random_id()


def _origin_ignored() -> None:
    def ignorant(_number: int, restored: Restored, *_: Any) -> Placement:
        return Placement(restored.bounds[0] if restored.committed is None else restored.committed)

    _put(assignment, "placement_of", ignorant)


def _origin_wrong() -> None:
    records = partition.Partition.records

    def late(self: partition.Partition) -> Any:
        next_offset = self.next_offset
        self.next_offset = max(0, next_offset - 1)
        try:
            return records(self)
        finally:
            self.next_offset = next_offset

    _put(partition.Partition, "records", late)


def _offsets_apart() -> None:
    """The offsets are committed after the transaction, and a restart goes by them: at least once."""
    _origin_ignored()
    settle = service.Service._settle

    def apart(self: service.Service) -> bool:
        work = self._committing
        settled = settle(self)
        if work is not None and settled:
            before = work.next_offsets()
            with suppress(KafkaException):
                source = self._session.source
                offsets = [TopicPartition(source._topic, number, offset) for number, offset in before.items()]
                source._consumer._consumer.commit(offsets=offsets, asynchronous=False)
        return settled

    def only_commits(self: transaction.Transactions, *_: Any) -> None:
        self._repeat(self._client.commit_transaction)
        self._began = None

    _put(transaction.Transactions, "_conclude", only_commits)
    _put(service.Service, "_settle", apart)


def _state_not_restored() -> None:
    result = restore._Reading.result

    def empty(self: restore._Reading) -> Restored | None:
        found = result(self)
        return found and replace(found, state=State(found.state.calendar), changelog=Changelog())

    _put(restore._Reading, "result", empty)


def _state_kept() -> None:
    """After an abort the readings are read again, into the state that has them."""

    def rollback(self: partition.Partition) -> None:
        self.pipeline.state.commit()
        self.next_offset, self.changelog = self._last
        self.at_end = self.begun = self.skipped = False

    _put(partition.Partition, "rollback", rollback)


def _no_seek() -> None:
    """After an abort the state goes back, the readings do not."""
    rollback = partition.Partition.rollback

    def stays(self: partition.Partition) -> None:
        next_offset = self.next_offset
        rollback(self)
        self.next_offset = next_offset

    _put(partition.Partition, "rollback", stays)


def _expired_undone() -> None:
    """What may have been committed counts as aborted."""
    recover = session.Session.recover

    def undone(self: session.Session, error: transaction.AbortedError) -> bool:
        recover(self, error)
        return False

    _put(session.Session, "recover", undone)


def _predictions_apart() -> None:
    init, send = transaction.Transactions.__init__, transaction.Transactions._send

    def made(self: transaction.Transactions, environ: Mapping[str, str], *more: Any) -> None:
        init(self, environ, *more)
        self.plain = Producer(merged_properties(producer_client, environ, {}))  # type: ignore[attr-defined]

    def apart(self: transaction.Transactions, topic: str, key: Any, value: Any, *more: Any, **named: Any) -> None:
        if topic.endswith(".predictions"):
            self.plain.produce(topic, value, key)  # type: ignore[attr-defined]
            self.plain.poll(0)  # type: ignore[attr-defined]
        else:
            send(self, topic, key, value, *more, **named)

    _put(transaction.Transactions, "__init__", made)
    _put(transaction.Transactions, "_send", apart)


def _uncommitted_changelog() -> None:
    restore._READ |= {"isolation.level": "read_uncommitted"}


def _uncommitted_readings() -> None:
    source._READ |= {"isolation.level": "read_uncommitted"}


def _short_restore() -> None:
    """The changelog is read to the end of what is committed now, not behind the open transactions of others."""
    end = restore._Reading.end
    _put(restore._Reading, "end", lambda self: None if end(self) is None else 0)


def _end_first() -> None:
    """The changelog's end is asked for before the group's offset is stable."""
    init = restore._Reading.__init__

    def asks(self: restore._Reading, calendar: Any, broker: asked.Inquirer, number: int) -> None:
        init(self, calendar, broker, number)
        self._end = broker.changelog_end(number)

    _put(restore._Reading, "__init__", asks)


def _lost_committed() -> None:
    _put(service.Service, "lost", service.Service.revoked)


_ZOMBIES = (f"{faults.STOP} {faults.BEGUN}", f"{faults.STOP} {faults.PRODUCING}")
_IN_COMMIT = (f"{faults.STOP} {faults.OFFSETS_SENT}",)
_HANGS = (f"{faults.HANG} {faults.COMMITTED}",)
_REFUSED = (f"{faults.REFUSE} {faults.PRODUCED}", f"{faults.KILL} {faults.ABORTED}")
_OPEN = (
    f"{faults.STOP} {faults.PRODUCED}",
    f"{faults.KILL} {faults.PRODUCED}",
    f"{faults.KILL} {faults.OFFSETS_SENT}",
)

MUTATIONS = {
    "no-generation": Mutation("offsets are sent without the group's generation", _no_generation, _ZOMBIES),
    "random-id": Mutation(
        "a new transactional.id at each start",
        _random_id,
        survives="who is dead commits nothing, and who was only stopped is refused by its generation or waited for: "
        "a stable id saves the successor and the subscribers the 10 to 20 s until the broker ends what was left open",
    ),
    "no-fence": Mutation("neither the generation nor a stable transactional.id", _no_fence, _ZOMBIES),
    "origin-ignored": Mutation(
        "a restore goes on from the group's offset alone",
        _origin_ignored,
        survives="one transaction writes both, so they are equal; they differ where somebody moves the group's "
        "offset or lets it expire, which has tests of its own",
    ),
    "origin-wrong": Mutation("the changelog's offset is one less than what its state has read", _origin_wrong),
    "offsets-apart": Mutation("offsets are committed after the transaction, not in it", _offsets_apart),
    "state-not-restored": Mutation("a restore brings no state", _state_not_restored),
    "state-kept": Mutation("an abort does not roll the state back", _state_kept, _REFUSED),
    "no-seek": Mutation("an abort rolls the state back, and does not read again", _no_seek, _REFUSED),
    "expired-undone": Mutation("an uncertain end of a transaction counts as an abort", _expired_undone, _HANGS),
    "predictions-apart": Mutation("predictions are written outside of the transaction", _predictions_apart),
    "uncommitted-changelog": Mutation("a restore reads what is not committed", _uncommitted_changelog, _OPEN),
    "uncommitted-readings": Mutation("readings of aborted transactions are read", _uncommitted_readings),
    "short-restore": Mutation(
        "a restore ends before the open transactions of others",
        _short_restore,
        _OPEN,
        survives="seldom noticed: a third owner has to come while a transaction of the first is open below what "
        "the second has committed; test_rebalance.py makes it so, with a foreign transaction that stays open",
    ),
    "end-first": Mutation(
        "the changelog's end is asked for before the offset is stable",
        _end_first,
        _IN_COMMIT,
        survives="seldom noticed: a restore reads on while the offset is not stable, and mostly has the records by "
        "the time it is: a race of milliseconds; test_changelog.py makes it so, with an owner between its offsets "
        "and its commit",
    ),
    "lost-committed": Mutation(
        "partitions that are lost are committed as those revoked",
        _lost_committed,
        survives="the broker refuses that commit by its generation, and so it is aborted all the same",
    ),
}
