"""The four topics: their names, their creation on a real broker, and what stops a start."""

import pytest

from season.settings import SettingError
from season.topics import Topics


def test_the_names_by_default() -> None:
    """The defaults of the interface; the changelog is named after the group."""
    assert Topics.from_environment({}) == Topics(
        "readings", "predictions", "readings.dead-letter", "season-consumer.windows", partitions=4, create=True
    )
    assert Topics.from_environment({"CONSUMER_GROUP": "night"}).changelog == "night.windows"


def test_all_of_it_can_be_set() -> None:
    """Each name, the number of partitions and whether to create."""
    environ = {
        "READINGS_TOPIC": "r",
        "PREDICTIONS_TOPIC": "p",
        "DEAD_LETTER_TOPIC": "d",
        "CHANGELOG_TOPIC": "c",
        "TOPIC_PARTITIONS": "1",
        "CREATE_TOPICS": "false",
    }
    assert Topics.from_environment(environ) == Topics("r", "p", "d", "c", 1, create=False)


@pytest.mark.parametrize(
    "environ",
    [
        {"READINGS_TOPIC": "predictions"},
        {"DEAD_LETTER_TOPIC": "x", "CHANGELOG_TOPIC": "x"},
        {"PREDICTIONS_TOPIC": "season-consumer.windows"},
    ],
)
def test_two_topics_of_one_name_are_refused(environ: dict[str, str]) -> None:
    """They are four different topics: the sentence names both settings."""
    with pytest.raises(SettingError, match=r"_TOPIC='.*': .*_TOPIC is the same topic, but four different"):
        Topics.from_environment(environ)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"READINGS_TOPIC": "a/b"}, "READINGS_TOPIC='a/b': a topic's name"),
        ({"READINGS_TOPIC": ".."}, "READINGS_TOPIC='..': a topic's name"),
        ({"CONSUMER_GROUP": "a b"}, r"CHANGELOG_TOPIC='a b.windows' \(from CONSUMER_GROUP\): a topic's name"),
        ({"TOPIC_PARTITIONS": "0"}, "TOPIC_PARTITIONS='0': a whole number from 1 to"),
        ({"CREATE_TOPICS": "maybe"}, "CREATE_TOPICS='maybe': true or false is allowed"),
    ],
)
def test_wrong_values_are_named(environ: dict[str, str], sentence: str) -> None:
    """Setting, value and what is allowed."""
    with pytest.raises(SettingError, match=f"^{sentence}"):
        Topics.from_environment(environ)
