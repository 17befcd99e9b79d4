"""The messages of a topic, committed ones alone, for a reader that belongs to no group and leaves nothing behind."""

import time
from collections.abc import Callable, Iterator, Mapping

from consumer.watch.ends import EndOffsets
from season import topics
from season.cli import StoppedError
from season.client.admin import Admin
from season.client.consumer import BEGINNING, TopicConsumer, consumer_client
from season.client.errors import ClientError, Code
from season.client.message import KafkaMessage
from season.fault import Properties
from season.kafka import debug_logger, merged_properties, refuse, refuse_reader

_REPORT_INTERVAL_S = 10.0
_PARTITION_CHECK_INTERVAL_S = 10.0
_BATCH_MESSAGES = 500

Say = Callable[[str], None]
Stopped = Callable[[], bool]


def properties(environ: Mapping[str, str]) -> Properties:
    """Return the client's properties. They name a group, since the client wants one; it is never joined."""
    ours = {
        "group.id": "season-watch",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # Where offsets are gone (by retention), what is left is shown.
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
        "fetch.queue.backoff.ms": 1,
        "queued.max.messages.kbytes": 16 * 1024,
    }
    return merged_properties(consumer_client, environ, ours)


def await_topic(admin: Admin, name: str, say: Say, stopped: Stopped) -> tuple[topics.Topic, bool]:
    """Return the topic, once it exists, and whether it was waited for. Raises RefusedError and StoppedError."""
    reported_at: float | None = None
    while not stopped():
        cause = "there is none yet, the consumer creates it"
        try:
            topic = topics.find(admin, name)
            if topic is not None:
                return topic, reported_at is not None
        except ClientError as error:
            refuse([error])
            cause = error.sentence
        if reported_at is None or time.monotonic() - reported_at >= _REPORT_INTERVAL_S:
            reported_at = time.monotonic()
            say(f"waiting for the topic {name!r}: {cause}")
        time.sleep(0.2)
    raise StoppedError


class Stream:
    """Reads every partition of one topic, those that are added later from their beginning.

    `from_beginning` False means from the present ends on, `until_now` up to those, and no partition that is added.
    Raises RefusedError where the broker refuses us.
    """

    def __init__(
        self,
        made: Properties,
        topic: topics.Topic,
        from_beginning: bool,
        say: Say,
        stopped: Stopped,
        until_now: bool = False,
    ) -> None:
        self._errors: list[ClientError] = []
        quiet = {**made, "logger": debug_logger(made, say)}
        self._consumer = TopicConsumer(quiet, topic.name, on_error=self._errors.append)
        self._say = say
        self._stopped = stopped
        self._reported_at = float("-inf")
        self._checked_at = time.monotonic()
        self._partitions = topic.partitions
        ends = {p: self._end(p) for p in range(topic.partitions)} if until_now or not from_beginning else {}
        self._ends = EndOffsets(ends) if until_now else None
        self._consumer.add({p: BEGINNING if from_beginning else ends[p] for p in range(topic.partitions)})

    def batches(self) -> Iterator[list[KafkaMessage]]:
        """Yield messages as they come, a list at least every 0.2 s, which may be empty; end when stopped or read."""
        try:
            while not self._stopped() and not (self._ends and self._ends.reached):
                batch = self._consumer.poll(0.2, _BATCH_MESSAGES)
                self._handle_errors([event.error for event in batch.events if not event.is_end])
                if self._ends is not None:
                    yield self._ends.within(batch)
                else:
                    self._assign_added()
                    yield batch.messages
        finally:
            self._consumer.close()

    def _end(self, partition: int) -> int:
        """Return a partition's last stable offset, which is the end for a client that reads committed messages."""
        while not self._stopped():
            try:
                return self._consumer.end(partition, 2.0)
            except ClientError as error:
                self._handle_errors([error])
        raise StoppedError

    def _assign_added(self) -> None:
        """Assign partitions that were added to the topic since."""
        if time.monotonic() - self._checked_at < _PARTITION_CHECK_INTERVAL_S:
            return
        self._checked_at = time.monotonic()
        try:
            there = self._consumer.partitions(1.0)
        except ClientError:
            return
        added = [partition for partition in there if partition >= self._partitions]
        if added:
            self._partitions = max(added) + 1
            self._consumer.add(dict.fromkeys(added, BEGINNING))

    def _handle_errors(self, more: list[ClientError]) -> None:
        errors, self._errors[:] = [*self._errors, *more], []
        refuse_reader(errors)
        away = [error for error in errors if error.code == Code.ALL_BROKERS_DOWN or error in more]
        if away and time.monotonic() - self._reported_at >= _REPORT_INTERVAL_S:
            self._reported_at = time.monotonic()
            self._say(f"waiting for the broker: {away[-1].sentence}")
