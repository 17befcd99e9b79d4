"""`python -m consumer check`: holds settings, broker, topics, rights, model and group to what the service needs."""

from consumer.check.command import main

__all__ = ["main"]
