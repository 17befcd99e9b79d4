"""One transaction for everything: predictions, dead letters, changelog and the group's offsets.

A transaction is a call: none is open before or after it. Each error of a transactional producer has one reaction. A
call that may be repeated is repeated here. For each other reaction stands an exception: `AbortedError` (roll back in
memory what was decided), `ExpiredError` (the broker ended it since we stood still, or the client does not come back
from a call: take the id again, with a new producer, and restore), `FencedError` (another has our id: stop),
`RefusedError` (stop).
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from consumer.adapters.logs import client_logger
from consumer.adapters.refusal import Refusal
from season.cli import StoppedError
from season.client.consumer import GroupMetadata
from season.client.errors import ClientError, Code
from season.client.message import Headers
from season.client.producer import ClientProducer, producer_client
from season.kafka import PARTITIONER, merged_properties, refuse
from season.settings import RefusedError

TIMEOUT = 10.0
"""Seconds after which the broker ends an abandoned transaction; Kafka Streams has the same."""

_WRITE: dict[str, Any] = {
    "transaction.timeout.ms": int(TIMEOUT * 1000),
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": PARTITIONER,
    # The default is true for producers: a topic that was deleted would come again with the broker's defaults.
    "allow.auto.create.topics": False,
    # Plain kafkajs, kafka-python and aiokafka cannot unpack lz4, snappy or zstd, and gzip costs a tenth (ADR 9).
    "compression.type": "none",
    "linger.ms": 5,
    # The broker answers back-to-back transactions with CONCURRENT_TRANSACTIONS for a moment: ask again at once.
    "retry.backoff.ms": 1,
    # The largest message is a dead letter of 2 MiB or a changelog record; what a topic takes is the topic's to say.
    "message.max.bytes": 8 * 1024 * 1024,
    # Default 1 GiB: what waits in this process for a slow broker. `send` waits where it is full.
    "queue.buffering.max.kbytes": 32 * 1024,
    "delivery.report.only.error": True,
}
_PURGED = {Code.PURGE_QUEUE, Code.PURGE_INFLIGHT}  # what an abort does to messages: no cause of one
_FENCED = {Code.FENCED, Code.PRODUCER_FENCED, Code.INVALID_PRODUCER_EPOCH}
_BATCH_BYTES = 1_000_000  # the client's default
_CALL_S = 3.0  # seconds that one call may wait before it is made again

Output = tuple[str, bytes | None, bytes | None, Headers | None, int]
"""A message to write: topic, key, value, headers, and the partition, -1 where the key decides."""


class AbortedError(Exception):
    """Nothing of the transaction is there; what it had decided must be decided again.

    `refusal` is what the broker or the client said, None where this program aborts by itself.
    """

    def __init__(self, why: str, refusal: Refusal | None = None) -> None:
        super().__init__(why)
        self.refusal = refusal


class FencedError(Exception):
    """Another program has taken our `transactional.id`."""


class ExpiredError(AbortedError):
    """The producer is of no use any more, and whether the transaction was committed is not known."""


class _Caller:
    """A thread that makes one call after the other. Unlike a pool's, it does not keep the program from ending."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Future[None], Callable[[], object]]] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True, name="transaction").start()

    def submit(self, call: Callable[[], object]) -> "Future[None]":
        """Make a call, and return while it lasts."""
        future: Future[None] = Future()
        self._calls.put((future, call))
        return future

    def _run(self) -> None:
        while True:
            self._make(*self._calls.get())

    @staticmethod
    def _make(future: "Future[None]", call: Callable[[], object]) -> None:
        """Make a call by itself, so that nothing of it, a producer that was replaced say, stays until the next."""
        try:
            call()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(None)


class Transactions:
    """The transactional producer. Not for use by several threads."""

    def __init__(self, environ: Mapping[str, str], transactional_id: str, stopped: Callable[[], bool]) -> None:
        ours = {**_WRITE, "transactional.id": transactional_id}
        self._properties = {**merged_properties(producer_client, environ, ours), "logger": client_logger()}
        self.transactional_id = transactional_id
        self._stopped = stopped
        self._producer: ClientProducer | None = None
        self._began: float | None = None
        self._id_again_since: float | None = None  # when the id was taken again, if it was
        self._doubted = False  # whether a fence counted as our own doing since something was committed
        self._refusing = ""  # the topic of the first message that was not delivered
        self._waiting: Callable[[ClientError | None], None] = lambda _: None
        self._committer, self._caller = _Caller(), _Caller()
        self._conclusion: Future[None] | None = None

    def limit_batches(self, size: int) -> None:
        """Send no batch larger than this from the next `acquire_id` on: the broker refuses one that is, each time."""
        self._properties["batch.size"] = min(size, int(self._properties.get("batch.size", _BATCH_BYTES)))

    def acquire_id(self, waiting: Callable[[ClientError | None], None]) -> None:
        """Acquire the id, which ends at once what a predecessor left open. RefusedError, StoppedError, FencedError.

        `waiting` gets, from now on, each error for which the coordinator is asked again, and None when it answers.
        """
        self._waiting = waiting
        again, self._began, self._producer = self._producer is not None, None, None
        while not self._stopped():
            self._producer = producer = self._producer or self._made()
            try:
                self._within(producer.init_transactions)
            except ExpiredError:
                self._producer = None  # it is left to hang, another one asks
            except ClientError as error:
                refuse([error])
                if error.code in _FENCED:
                    raise FencedError from None
                if not error.retriable:
                    raise
                producer.poll(0)
                self._waiting(error)
            else:
                producer.poll(0)  # serves the client's lines for KAFKA_DEBUG, as each commit's flush does
                self._id_again_since = time.monotonic() if again else None
                self._waiting(None)
                return
        raise StoppedError

    def start(
        self, outputs: Iterable[Output], topic: str, next_offsets: Mapping[int, int], member: GroupMetadata
    ) -> None:
        """Write messages, and let them be committed with the group's offsets of a topic while the caller goes on.

        `finish` has to come before the next one. AbortedError, FencedError, RefusedError.
        """
        self._begin()
        for output in outputs:
            self._send(*output)
        self._conclusion = self._committer.submit(lambda: self._conclude(topic, next_offsets, member))

    def finish(self) -> None:
        """Wait until what was started is committed. AbortedError, FencedError, RefusedError, StoppedError."""
        conclusion, self._conclusion = self._conclusion, None
        if conclusion is not None:
            conclusion.result()

    def wait(self) -> None:
        """Wait until what was started has come to its end, whichever; `finish` will say which."""
        if self._conclusion is not None:
            self._conclusion.exception()

    def _conclude(self, topic: str, next_offsets: Mapping[int, int], member: GroupMetadata) -> None:
        client = self._client
        self._repeat(lambda timeout_s: client.send_offsets(topic, next_offsets, member, timeout_s))
        self._repeat(client.commit_transaction)
        self._began, self._doubted = None, False

    @property
    def _age(self) -> float:
        """Return for how many seconds the transaction has been open."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    def _begin(self) -> None:
        try:
            self._client.begin_transaction()
        except ClientError as error:
            raise self._react(error) from None
        self._began, self._refusing = time.monotonic(), ""

    def _send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers | None, partition: int
    ) -> None:
        """Write a message in the open transaction; wait where the client's queue is full."""
        while True:
            try:
                self._client.produce(topic, value, key, partition, headers)
            except BufferError:
                self._client.poll(0.1)
                if self._age > TIMEOUT:
                    raise self._abort("the broker takes no message") from None
            except ClientError as error:
                self._refusing = self._refusing or topic
                raise self._react(error) from None
            else:
                return

    def _made(self) -> ClientProducer:
        return ClientProducer(self._properties, on_delivery=self._undelivered)

    @property
    def _client(self) -> ClientProducer:
        assert self._producer is not None, "acquire_id comes first"
        return self._producer

    def _within(self, call: Callable[[float], object]) -> None:
        """Make a call that takes a timeout. Raises ExpiredError where it does not return in time all the same.

        After a crash of the broker a call can hang for minutes, whatever its timeout says. It is left to hang on a
        thread of its own with its producer, which the next one of the same id fences.
        """
        conclusion = self._caller.submit(lambda: call(_CALL_S))
        try:
            conclusion.result(2 * _CALL_S)
        except TimeoutError:
            if conclusion.done():
                raise
            self._began, self._caller = None, _Caller()
            raise ExpiredError("the Kafka client does not come back from a call") from None

    def _undelivered(self, error: ClientError | None, topic: str) -> None:
        # Only its topic: of several records in a batch the client says INVALID_RECORD, whatever the broker said.
        if error is not None and error.code not in _PURGED:
            self._refusing = self._refusing or topic

    def _refusal(self, error: ClientError | None) -> Refusal | None:
        return Refusal(error, self._refusing, transactional=True) if error else None

    def _repeat(self, call: Callable[[float], object]) -> None:
        waited = False
        while True:
            try:
                self._within(call)
            except ClientError as error:
                if not error.retriable or self._stopped():
                    raise self._react(error) from None
                waited = True
                self._waiting(error)
            else:
                if waited:
                    self._waiting(None)
                return

    def _react(self, error: ClientError) -> Exception:
        """Return the exception that stands for the reaction to an error."""
        error = self._cause(error)
        try:
            refuse([error])
        except RefusedError as refused:
            return refused
        if error.code in _FENCED or (error.fatal and not error.requires_abort):
            expired = self._age > TIMEOUT
            self._began = None
            if not expired and error.code in _FENCED and not self._fenced_by_itself():
                return FencedError(error.sentence)
            return ExpiredError(error.sentence, self._refusal(error))
        return self._abort(error.sentence, error)

    def _fenced_by_itself(self) -> bool:
        """Return whether a fence may be this program's own doing: once, soon after the id was taken again.

        A coordinator that was out of reach can carry out the request for the id twice, since the client repeats it;
        the second time fences the producer that got the answer to the first.
        """
        again, self._id_again_since = self._id_again_since, None
        if again is None or self._doubted or time.monotonic() - again > TIMEOUT:
            return False
        self._doubted = True
        return True

    def _cause(self, error: ClientError) -> ClientError:
        """Return the error of the transaction itself, where a call says no more than that it has one.

        A transaction that has failed answers `begin` with its error; one that has not says that it is open.
        """
        if error.code != Code.STATE:
            return error
        try:
            self._client.begin_transaction()
        except ClientError as own:
            return own
        return error

    def _abort(self, why: str, cause: ClientError | None = None) -> AbortedError | FencedError:
        age, self._began = self._age, None
        try:
            self._within(self._client.abort_transaction)
        except ExpiredError as expired:
            return expired
        except ClientError as error:
            if error.code in _FENCED and age <= TIMEOUT and not self._fenced_by_itself():
                return FencedError(error.sentence)
            return ExpiredError(f"{why}; and the abort failed: {error.sentence}", self._refusal(cause))
        # Which topic it was is known now at the latest: delivery reports come with the abort.
        return AbortedError(why, self._refusal(cause))
