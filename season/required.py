"""The rights that each program needs on the broker, apart from CREATE on the topics that are missing."""

from season.rights import GROUP, READ, TOPIC, TRANSACTIONAL_ID, WRITE, Right
from season.topics import Topics


def of_service(topics: Topics, group: str, transactional_id: str) -> list[Right]:
    """Return what the service needs."""
    return [
        Right(READ, TOPIC, topics.readings, "READINGS_TOPIC"),
        Right(WRITE, TOPIC, topics.predictions, "PREDICTIONS_TOPIC"),
        Right(WRITE, TOPIC, topics.dead_letters, "DEAD_LETTER_TOPIC"),
        Right(READ, TOPIC, topics.changelog, "CHANGELOG_TOPIC"),
        Right(WRITE, TOPIC, topics.changelog, "CHANGELOG_TOPIC"),
        Right(READ, GROUP, group, "CONSUMER_GROUP"),
        Right(WRITE, TRANSACTIONAL_ID, transactional_id, "CONSUMER_GROUP and INSTANCE_ID"),
    ]


def of_producer(topics: Topics, resume: bool) -> list[Right]:
    """Return what the producer needs; with `resume` it reads what it has published before."""
    needed = [Right(WRITE, TOPIC, topics.readings, "READINGS_TOPIC")]
    return [*needed, Right(READ, TOPIC, topics.readings, "READINGS_TOPIC")] if resume else needed


def of_watch(topics: Topics) -> list[Right]:
    """Return what `watch` needs; it joins no group."""
    return [Right(READ, TOPIC, topics.predictions, "PREDICTIONS_TOPIC")]
