"""The limit of any such program in Python: a transactional loop that does nothing else.

It consumes, touches key and value of every message, writes a value of a prediction's size for one message in 24, and
commits offsets and output in one transaction each 100 ms, sooner where nothing came for 10 ms; with `--at-once`, as
soon as nothing more waits. It decodes nothing and keeps no state. Its settings come from the environment, by the
service's names.
"""

import gc
import os
import socket
import sys
import time

from confluent_kafka import Consumer, Message, Producer

BATCH = 5000
COMMIT_INTERVAL_S = 0.1
POLL_S = 0.1
IDLE_S = 0.01
MESSAGES_A_PREDICTION = 24
PREDICTION_BYTES = 490


def clients() -> tuple[Consumer, Producer]:
    """Return a consumer and a transactional producer with settings like the service's."""
    servers, group = os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["CONSUMER_GROUP"]
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": group,
            "session.timeout.ms": os.environ["KAFKA_SESSION_TIMEOUT_MS"],
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.queue.backoff.ms": 1,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "transactional.id": f"{group}-{socket.gethostname()}",
            "partitioner": "murmur2_random",
            "linger.ms": 5,
            "retry.backoff.ms": 1,
        }
    )
    return consumer, producer


class Loop:
    """The loop; `idle_s` is how long an open transaction waits for another message before it is committed."""

    def __init__(self, consumer: Consumer, producer: Producer, idle_s: float) -> None:
        self._consumer, self._producer, self._idle_s = consumer, producer, idle_s
        self._output = os.environ["PREDICTIONS_TOPIC"]
        self._began_s: float | None = None
        self._until_output = MESSAGES_A_PREDICTION - 1

    def run(self) -> None:
        """Read for ever."""
        while True:
            first = self._consumer.poll(POLL_S if self._began_s is None else self._idle_s)
            if first is not None:
                self._process([first, *self._consumer.consume(BATCH, 0)])
            if self._began_s is not None:
                over = time.monotonic() - self._began_s >= COMMIT_INTERVAL_S
                if over or first is None:
                    self._commit()

    def _process(self, messages: list[Message]) -> None:
        if self._began_s is None:
            self._producer.begin_transaction()
            self._began_s = time.monotonic()
        keys = [message.key() for message in messages]
        values = [message.value() for message in messages]
        for i in range(self._until_output, len(messages), MESSAGES_A_PREDICTION):
            value = values[i]
            assert value is not None
            # Blanks at the end leave it JSON: which reading caused this output can be seen in it.
            self._producer.produce(self._output, value.ljust(PREDICTION_BYTES), keys[i])
        self._until_output = (self._until_output - len(messages)) % MESSAGES_A_PREDICTION

    def _commit(self) -> None:
        positions = self._consumer.position(self._consumer.assignment())
        offsets = [position for position in positions if position.offset >= 0]  # below it: nothing came of it yet
        self._producer.send_offsets_to_transaction(offsets, self._consumer.consumer_group_metadata())
        self._producer.commit_transaction()
        self._began_s = None


def main() -> None:
    """Join the group and read for ever."""
    gc.set_threshold(50_000)  # as in the service: messages come and go by the thousand and are no cycles
    consumer, producer = clients()
    producer.init_transactions()
    consumer.subscribe([os.environ["READINGS_TOPIC"]])
    Loop(consumer, producer, idle_s=0 if "--at-once" in sys.argv[1:] else IDLE_S).run()


if __name__ == "__main__":
    main()
