"""What a contender has published, counted by a `read_committed` subscriber, and held to what had to come out."""

from collections import Counter
from dataclasses import dataclass, field

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition


class WrongOutputsError(Exception):
    """A contender has published something else than it had to: its time is worth nothing."""


@dataclass(frozen=True)
class Outputs:
    """How many predictions, and how many dead letters by reason."""

    predictions: int
    letters: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Demand:
    """How many readings were published, and what they lead to by the service's rules."""

    messages: int
    outputs: Outputs


class Subscriber:
    """Counts the messages of a topic by their header `reason`, which predictions do not have, from the beginning on.

    A topic that is not there is empty.
    """

    def __init__(self, servers: str, topic: str) -> None:
        settings = {"group.id": "none", "isolation.level": "read_committed", "enable.auto.commit": False}
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                **settings,
                "enable.partition.eof": True,
                "fetch.queue.backoff.ms": 1,
                "log_level": 2,
            }
        )
        # Asked for all topics: a topic that is asked for by its name would be created.
        topics = self._consumer.list_topics(timeout=10).topics
        numbers = list(topics[topic].partitions) if topic in topics else []
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers])
        self._remaining = set(numbers)
        self.counts: Counter[str] = Counter()

    @property
    def at_end(self) -> bool:
        """Return whether the end of every partition was reached once."""
        return not self._remaining

    def read(self, wait_s: float) -> None:
        """Count what is there; wait so long for a first message."""
        first = self._consumer.poll(wait_s)
        for message in [first, *self._consumer.consume(5000, 0)] if first is not None else []:
            error = message.error()
            if error is None:
                self.counts[_reason(message)] += 1
            elif error.code() == KafkaError._PARTITION_EOF:
                self._remaining.discard(message.partition() or 0)

    def close(self) -> None:
        """Close the client."""
        self._consumer.close()


def check(name: str, expected: Outputs, found: Outputs) -> None:
    """Raise WrongOutputsError where a contender has published something else than was expected of it."""
    reasons = sorted(expected.letters.keys() | found.letters.keys())
    counts = [
        ("predictions", found.predictions, expected.predictions),
        *((f"dead letters `{reason}`", found.letters[reason], expected.letters[reason]) for reason in reasons),
    ]
    wrong = [f"{is_:,} {what} where {must:,} were expected" for what, is_, must in counts if is_ != must]
    if wrong:
        raise WrongOutputsError(f"the {name} has published {', '.join(wrong)}")


def published(servers: str, predictions: str, dead_letters: str) -> Outputs:
    """Count what stands on both topics."""
    return Outputs(_count(servers, predictions).total(), _count(servers, dead_letters))


def _count(servers: str, topic: str) -> Counter[str]:
    subscriber = Subscriber(servers, topic)
    while not subscriber.at_end:
        subscriber.read(1.0)
    subscriber.close()
    return subscriber.counts


def _reason(message: Message) -> str:
    value = dict(message.headers() or {}).get("reason")
    return value.decode() if isinstance(value, bytes) else ""
