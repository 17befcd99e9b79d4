"""Reads so many messages of a topic with kafka-python as pip installs it, and prints each as a line of JSON.

`python read.py SERVERS TOPIC COUNT`: committed messages alone. In a process of its own, since kafka-python warns at
its import.
"""

import base64
import json
import sys

from kafka import KafkaConsumer, TopicPartition


def text(data: bytes | None) -> str | None:
    """Bytes as base64."""
    return None if data is None else base64.b64encode(data).decode()


def main(servers: str, topic: str, count: int) -> None:
    """Print the topic from its beginning."""
    consumer = KafkaConsumer(
        bootstrap_servers=servers, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    consumer.assign([TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic)])
    for _, message in zip(range(count), consumer, strict=False):
        headers = [(name, text(value)) for name, value in message.headers]
        row = [message.partition, message.offset, text(message.key), text(message.value), headers]
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
