"""Kafka Streams and Flink doing the service's job exactly once: the peers of `make bench-peers`."""
