"""A `read_committed` subscriber that holds every prediction and dead letter to the formula of `made` as it comes.

What it keeps is a number for each zone: which of the zone's predictions comes next. One that is missing, doubled, of
another value or out of its order is a problem, told with its place.
"""

import threading
from collections import Counter

import msgspec
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from season import instants
from season.calendar import DAY
from season.messages import Prediction
from tests.integration.world import World
from tests.load.made import START, corrected, number, steps, totals

_KEPT = 20  # problems that are told


class Expectation:
    """What comes next of each zone, and what was wrong so far."""

    def __init__(self, zones: int) -> None:
        self.next = [(0, 0)] * zones  # day and revision
        self.predictions = 0
        self.letters: Counter[str] = Counter()
        self.problems: list[str] = []
        self._decoder = msgspec.json.Decoder(Prediction)
        self._sources: dict[int, int] = {}

    def prediction(self, message: Message) -> None:
        """One prediction."""
        self.predictions += 1
        got = self._decoder.decode(message.value() or b"")
        zone = number(got.zone.encode())
        day, revision = self.next[zone]
        was = ((instants.parse(got.window_start) - START) // DAY, got.revision)
        if was != (day, revision):
            self._problem(message, f"{got.zone} has day and revision {was} where {(day, revision)} is next")
            day, revision = was
        if got.steps != steps(zone, day, revision) or got.filled_hours:
            self._problem(message, f"{got.zone} has other steps than were published")
        self.next[zone] = (day, 1) if revision == 0 and corrected(zone, day) else (day + 1, 0)

    def letter(self, message: Message) -> None:
        """One dead letter: those that are not `late` are problems, and so is one that comes again."""
        headers = {
            name: value.decode() for name, value in dict(message.headers() or []).items() if isinstance(value, bytes)
        }
        self.letters[headers["reason"]] += 1
        partition, offset = int(headers["source.partition"]), int(headers["source.offset"])
        if offset <= self._sources.get(partition, -1):
            self._problem(message, f"the dead letter of offset {offset} of partition {partition} comes again")
        self._sources[partition] = offset
        if headers["reason"] != "late":
            self._problem(message, f"a dead letter says {headers['reason']}: {headers['error']}")

    def finish(self, days: int) -> list[str]:
        """The problems in all, when so many days were published and everything was read."""
        behind = [zone for zone, place in enumerate(self.next) if place != (days, 0)]
        if behind:
            zone = behind[0]
            self.problems.append(
                f"{len(behind)} zones are not at their end: zone {zone} is at {self.next[zone]} of {days} days"
            )
        expected = totals(len(self.next), days)
        if self.predictions != expected.predictions:
            self.problems.append(f"{self.predictions} predictions where {expected.predictions} were to come")
        if self.letters["late"] != expected.late:
            self.problems.append(f"{self.letters['late']} late dead letters where {expected.late} were to come")
        return self.problems

    def _problem(self, message: Message, sentence: str) -> None:
        if len(self.problems) < _KEPT:
            self.problems.append(f"{message.topic()} {message.partition()} offset {message.offset()}: {sentence}")


class LoadSubscriber:
    """Reads both topics from their beginnings on a thread of its own, until `finish`."""

    def __init__(self, world: World, zones: int) -> None:
        self.expectation = Expectation(zones)
        self._topics = (world.environ["PREDICTIONS_TOPIC"], world.environ["DEAD_LETTER_TOPIC"])
        self._partitions = world.partitions
        self._consumer = Consumer(
            {
                "bootstrap.servers": world.servers,
                "group.id": "none",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "enable.auto.commit": False,
                "auto.offset.reset": "error",  # where retention was quicker than this, nothing is proved
                "fetch.queue.backoff.ms": 1,
                "queued.max.messages.kbytes": 16 * 1024,
            }
        )
        self._places = {(topic, p): 0 for topic in self._topics for p in range(self._partitions)}
        self._finishing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="subscriber", daemon=True)
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def finish(self, days: int, seconds: float = 120) -> list[str]:
        """Reads what is there to its end; the problems when so many days were published."""
        self._finishing.set()
        self._thread.join(seconds)
        if self._failure is not None:
            raise self._failure
        if self._thread.is_alive():
            return [*self.expectation.problems, f"the subscriber does not come to its end within {seconds:g} s"]
        return self.expectation.finish(days)

    def _run(self) -> None:
        try:
            self._consumer.assign([TopicPartition(*place, 0) for place in self._places])
            while not (self._finishing.is_set() and self._at_end()):
                first = self._consumer.poll(0.2)
                while first is not None:
                    for message in [first, *self._consumer.consume(2000, 0)]:
                        self._take(message)
                    first = self._consumer.poll(0)
        except BaseException as error:
            self._failure = error
        finally:
            self._consumer.close()

    def _at_end(self) -> bool:
        """Whether what stands in the topics now is read."""
        ends = {place: self._consumer.get_watermark_offsets(TopicPartition(*place), 10) for place in self._places}
        return all(end is not None and self._places[place] >= end[1] for place, end in ends.items())

    def _take(self, message: Message) -> None:
        error, topic, partition = message.error(), message.topic() or "", message.partition() or 0
        if error is None:
            self._places[topic, partition] = (message.offset() or 0) + 1
            (self.expectation.prediction if topic == self._topics[0] else self.expectation.letter)(message)
        elif error.code() == KafkaError._PARTITION_EOF:
            # Behind the last message stand the markers of transactions.
            self._places[topic, partition] = message.offset() or 0
        else:
            self.expectation.problems.append(f"{topic} {partition}: {error.str()}")


def read_all(world: World, zones: int, days: int) -> list[str]:
    """What is wrong with the topics as they stand, after so many days of all zones."""
    subscriber = LoadSubscriber(world, zones)
    subscriber.start()
    return subscriber.finish(days)
