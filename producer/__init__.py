"""Publishes files of readings to Kafka: `python -m producer FILE…`."""
