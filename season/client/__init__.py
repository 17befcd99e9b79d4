"""Kafka's client behind types of ours: the one package that imports `confluent_kafka`."""
