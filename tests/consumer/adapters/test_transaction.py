"""Each error of the transactional producer has its one reaction: repeat, undo, take the id anew, stop."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.adapters import transaction
from consumer.adapters.transaction import AbortedError, ExpiredError, FencedError, Output, Transactions
from season.client import producer
from season.kafka import DeniedError

Script = dict[str, list[KafkaError | Callable[[], None]]]


class Scripted:
    """A producer that answers each call with the next thing its script has for it, else with success.

    Which errors a real one gives, and when, is seen by the tests on the real broker; what is done about each is
    seen here, where each can be had.
    """

    script: ClassVar[Script] = {}
    calls: ClassVar[list[str]] = []  # of all producers of a test, in their order
    properties: ClassVar[dict[str, Any]] = {}  # of the last one

    def __init__(self, properties: dict[str, Any]) -> None:
        assert properties["transactional.id"] == "group-one"
        Scripted.properties = properties

    def _call(self, name: str) -> None:
        self.calls.append(name)
        answers = self.script.get(name)
        if answers:
            answer = answers.pop(0)
            if isinstance(answer, KafkaError):
                raise KafkaException(answer)
            answer()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: self._call(name.removesuffix("_transactions").removesuffix("_transaction"))


class SetClock:
    """Time that a test sets."""

    now = 0.0

    def monotonic(self) -> float:
        """As in `time`."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """The clock by which a transaction's age is told."""
    clock = SetClock()
    monkeypatch.setattr(transaction, "time", clock)
    return clock


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch, clock: SetClock) -> Transactions:
    """Transactions with their id taken, and a producer without a script."""
    monkeypatch.setattr(producer, "Producer", Scripted)
    monkeypatch.setattr(transaction, "merged_properties", lambda _make, _environ, ours: ours)
    monkeypatch.setattr(Scripted, "script", {})
    monkeypatch.setattr(Scripted, "calls", [])
    transactions = Transactions({}, "group-one", lambda: False)
    transactions.acquire_id(lambda _: None)
    Scripted.calls.clear()
    return transactions


def error(code: int, **flags: bool) -> KafkaError:
    """An error as the client gives it."""
    return KafkaError(code, "what it says", **flags)


RETRIABLE = error(KafkaError._TIMED_OUT, retriable=True)
ABORTABLE = error(KafkaError.ILLEGAL_GENERATION, txn_requires_abort=True)
FENCED = error(KafkaError._FENCED, fatal=True)
FATAL = error(KafkaError.INVALID_TXN_STATE, fatal=True)
REFUSED = error(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)


def run(transactions: Transactions, script: Script, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Writes and commits, with what the script has in the way, and what happens once it has begun."""
    Scripted.script = script

    def outputs() -> Iterator[Output]:
        meanwhile()
        yield "topic", b"key", b"value", None, -1

    transactions.start(outputs(), "readings", {}, b"metadata")
    transactions.finish()


def test_a_call_that_may_be_repeated_is_repeated(transactions: Transactions) -> None:
    """The same call again, as often as it takes, and nothing else is made twice."""
    run(transactions, {"send_offsets_to": [RETRIABLE, RETRIABLE], "commit": [RETRIABLE]})
    assert Scripted.calls == ["begin", "produce", *["send_offsets_to"] * 3, "commit", "commit"]


@pytest.mark.parametrize("call", ["produce", "send_offsets_to", "commit"])
@pytest.mark.parametrize(
    ("answer", "age", "raised"),
    [
        (ABORTABLE, 1.0, AbortedError),
        (ABORTABLE, 11.0, AbortedError),
        (FENCED, 1.0, FencedError),
        (error(KafkaError.PRODUCER_FENCED, fatal=True), 1.0, FencedError),
        (error(KafkaError.INVALID_PRODUCER_EPOCH, fatal=True), 1.0, FencedError),
        (FENCED, 11.0, ExpiredError),
        (error(KafkaError.INVALID_PRODUCER_EPOCH, fatal=True), 11.0, ExpiredError),
        (FATAL, 1.0, ExpiredError),
        (REFUSED, 1.0, DeniedError),
    ],
)
def test_every_other_error_has_its_one_reaction(
    transactions: Transactions, clock: SetClock, call: str, answer: KafkaError, age: float, raised: type[Exception]
) -> None:
    """Wherever it comes; and being fenced means another has our id only while the transaction is not too old."""
    with pytest.raises(raised) as caught:
        run(transactions, {call: [answer]}, lambda: setattr(clock, "now", age))
    assert caught.type is raised
    assert ("abort" in Scripted.calls) == (raised is AbortedError)


@pytest.mark.parametrize(
    ("answer", "age", "raised"),
    [
        (FENCED, 1.0, FencedError),
        (FENCED, 11.0, ExpiredError),
        (RETRIABLE, 1.0, ExpiredError),
        (FATAL, 1.0, ExpiredError),
    ],
)
def test_an_abort_that_fails_leaves_nothing_certain(
    transactions: Transactions, clock: SetClock, answer: KafkaError, age: float, raised: type[Exception]
) -> None:
    """Then the id is taken anew, and the changelog tells what was committed."""
    with pytest.raises(raised) as caught:
        run(transactions, {"commit": [ABORTABLE], "abort": [answer]}, lambda: setattr(clock, "now", age))
    assert caught.type is raised


def test_no_batch_is_larger_than_it_may_be(transactions: Transactions) -> None:
    """From the next producer on; a topic that takes more than the client sends at once changes nothing."""
    assert "batch.size" not in Scripted.properties
    for limit, sent in ((8192, 8192), (2**23, 8192)):
        transactions.limit_batches(limit)
        transactions.acquire_id(lambda _: None)
        assert Scripted.properties["batch.size"] == sent


@pytest.mark.parametrize("call", ["send_offsets_to", "commit"])
def test_a_call_that_does_not_come_back_is_given_up(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """After twice the time that it was given; the id is taken anew with a new producer."""
    monkeypatch.setattr(transaction, "_CALL_S", 0.02)
    ended = threading.Event()

    def hang() -> None:
        ended.wait(30)

    with pytest.raises(ExpiredError):
        run(transactions, {call: [hang]})
    ended.set()
    monkeypatch.setattr(transaction, "_CALL_S", 3.0)
    transactions.acquire_id(lambda _: None)
    run(transactions, {})
    assert Scripted.calls[-6:] == ["init", "poll", "begin", "produce", "send_offsets_to", "commit"]


def test_a_full_queue_is_waited_for_and_given_up_when_the_transaction_is_too_old(
    transactions: Transactions, clock: SetClock
) -> None:
    """Back-pressure: the queue empties or, where the broker takes nothing, the transaction is undone."""

    def full() -> None:
        raise BufferError

    def full_for_long() -> None:
        clock.now += 11
        raise BufferError

    run(transactions, {"produce": [full, full]})
    assert Scripted.calls == ["begin", "produce", "poll", "produce", "poll", "produce", "send_offsets_to", "commit"]
    with pytest.raises(AbortedError):
        run(transactions, {"produce": [full_for_long]})


class Undelivered:
    """A message that the broker did not take."""

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def topic(self) -> str:
        """Its topic."""
        return self._topic


def test_an_abort_says_which_topic_refused_what(transactions: Transactions) -> None:
    """The first message that was refused tells; those that the client drops for it say nothing of the cause."""
    refused = error(KafkaError.INVALID_TIMESTAMP, txn_requires_abort=True)

    def refuse() -> None:
        Scripted.properties["on_delivery"](error(KafkaError._PURGE_QUEUE), Undelivered("changelog"))
        Scripted.properties["on_delivery"](refused, Undelivered("predictions"))
        Scripted.properties["on_delivery"](refused, Undelivered("dead letters"))
        raise KafkaException(refused)

    for expected in ("predictions", ""):  # the next transaction knows nothing of it
        with pytest.raises(AbortedError) as caught:
            run(transactions, {"commit": [refuse if expected else refused]})
        refusal = caught.value.refusal
        assert refusal is not None
        assert (refusal.error.code, refusal.topic) == (KafkaError.INVALID_TIMESTAMP, expected)


@pytest.mark.parametrize("call", ["produce", "send_offsets_to"])
def test_a_call_that_says_only_that_the_transaction_has_failed(transactions: Transactions, call: str) -> None:
    """The transaction's own error is the cause: `begin` gives it."""
    only = error(KafkaError._STATE)
    own = error(KafkaError.INVALID_TIMESTAMP, txn_requires_abort=True)
    with pytest.raises(AbortedError) as caught:
        run(transactions, {call: [only], "begin": [own]})
    assert caught.value.refusal is not None
    assert caught.value.refusal.error.code == KafkaError.INVALID_TIMESTAMP
    assert Scripted.calls[-2:] == ["begin", "abort"]
    with pytest.raises(FencedError):
        run(transactions, {call: [only], "begin": [lambda: None, FENCED]})


def test_the_cause_of_an_abort_is_known_where_the_abort_fails_too(transactions: Transactions) -> None:
    """As where replicas are away: the markers of an abort cannot be written either."""
    timed_out = error(KafkaError._TIMED_OUT, txn_requires_abort=True)
    with pytest.raises(ExpiredError) as caught:
        run(transactions, {"commit": [timed_out], "abort": [RETRIABLE]})
    assert caught.value.refusal is not None
    assert caught.value.refusal.error.code == KafkaError._TIMED_OUT


def test_who_waits_for_the_coordinator_is_told(transactions: Transactions) -> None:
    """At each call that is made again, and once it has returned; a call that returns at once is no wait."""
    waits: list[int | None] = []
    Scripted.script = {"init": [RETRIABLE, RETRIABLE]}
    transactions.acquire_id(lambda error: waits.append(None if error is None else error.code))
    assert waits == [RETRIABLE.code(), RETRIABLE.code(), None]
    waits.clear()
    run(transactions, {"commit": [RETRIABLE]})
    assert waits == [RETRIABLE.code(), None]
    run(transactions, {})
    assert len(waits) == 2


def test_a_fence_soon_after_the_id_was_taken_again_may_be_our_own(
    transactions: Transactions, clock: SetClock
) -> None:
    """A coordinator that was out of reach may carry out our request twice. Fenced once more, there is another one."""
    with pytest.raises(ExpiredError):
        run(transactions, {"commit": [FATAL]})
    transactions.acquire_id(lambda _: None)
    with pytest.raises(ExpiredError):
        run(transactions, {"commit": [FENCED]})
    transactions.acquire_id(lambda _: None)
    with pytest.raises(FencedError):
        run(transactions, {"send_offsets_to": [FENCED]})


def test_a_fence_long_after_the_id_was_taken_again_is_anothers(transactions: Transactions, clock: SetClock) -> None:
    """Also where a transaction was committed in between: then the next doubt is a new one."""
    for fenced, later in ((ExpiredError, 1.0), (FencedError, 11.0)):
        with pytest.raises(ExpiredError):
            run(transactions, {"commit": [FATAL]})
        transactions.acquire_id(lambda _: None)
        run(transactions, {})
        clock.now += later
        with pytest.raises(fenced):
            run(transactions, {"commit": [FENCED]})
        transactions.acquire_id(lambda _: None)
        run(transactions, {})


def test_a_client_that_hangs_while_it_takes_the_id_is_replaced(
    transactions: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash of the broker any call may not come back, also this one; another producer asks then."""
    monkeypatch.setattr(transaction, "_CALL_S", 0.02)
    answers = threading.Event()

    def hang() -> None:
        answers.wait(60)

    Scripted.script = {"init": [hang]}
    transactions.acquire_id(lambda _: None)
    answers.set()
    assert Scripted.calls == ["init", "init", "poll"]
