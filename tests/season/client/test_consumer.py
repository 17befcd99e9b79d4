"""What the client's metadata says of a member; tests/integration/test_admission.py has the rest, on a real broker."""

from season.client.consumer import TopicConsumer, generation


def test_the_generation_of_a_client_that_has_joined_nothing() -> None:
    """The client that is installed packs it where we look for it."""
    consumer = TopicConsumer({"group.id": "group"}, "readings")
    assert generation(consumer.group_metadata()) == -1
    consumer.close()
