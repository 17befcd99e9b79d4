"""What is said of rights that are missing."""

from season.rights import CREATE, GROUP, READ, TOPIC, WRITE, Right, by_resource, refusal

_READINGS = Right(READ, TOPIC, "readings", "READINGS_TOPIC")
_CHANGELOG = [Right(operation, TOPIC, "g.windows", "CHANGELOG_TOPIC") for operation in (READ, WRITE)]
_GROUP = Right(READ, GROUP, "g", "CONSUMER_GROUP")


def test_the_sentence_names_operation_resource_and_setting() -> None:
    """Of each right; those on one resource are said together."""
    sentence = str(refusal([_READINGS, *_CHANGELOG, _GROUP], "this program (KAFKA_SASL_USERNAME='x')"))
    assert sentence == (
        "the broker denies this program (KAFKA_SASL_USERNAME='x') READ on the topic 'readings' (READINGS_TOPIC), "
        "READ and WRITE on the topic 'g.windows' (CHANGELOG_TOPIC), READ on the group 'g' (CONSUMER_GROUP); "
        "`python -m consumer check --acls` prints the kafka-acls.sh lines that are enough"
    )


def test_a_topic_that_cannot_be_created_is_said_to_be_missing() -> None:
    """Else somebody would wonder why a program wants to create a topic."""
    sentence = str(refusal([Right(CREATE, TOPIC, "readings", "READINGS_TOPIC")], "this program"))
    assert "CREATE on the topic 'readings' (READINGS_TOPIC), which does not exist yet;" in sentence


def test_a_group_and_a_topic_of_one_name_are_two_resources() -> None:
    """A name says nothing about the kind."""
    rights = [Right(READ, TOPIC, "same", "READINGS_TOPIC"), Right(READ, GROUP, "same", "CONSUMER_GROUP")]
    assert by_resource(rights) == [[rights[0]], [rights[1]]]
