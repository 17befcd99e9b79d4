"""A real Apache Kafka from pip alone: no Docker, no Maven, no installed Java."""

from kafka_local.broker import Broker, BrokerError
from kafka_local.jars import KAFKA_VERSION

__all__ = ["KAFKA_VERSION", "Broker", "BrokerError"]
