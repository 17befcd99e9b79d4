"""The lines of `--acls`; that they are enough is shown on a real broker."""

import shlex

from consumer.check.acls import script
from season.topics import Topics


def lines(**environ: str) -> list[list[str]]:
    """Return the words of each line that is no comment."""
    topics = Topics.from_environment(environ)
    text = script("kafka:9092", topics, environ.get("CONSUMER_GROUP", "season-consumer"))
    return [shlex.split(line) for line in text.splitlines() if line and not line.startswith("#")]


def test_each_line_is_a_call_of_kafkas_tool() -> None:
    """For the broker of the settings, with a placeholder for the user."""
    begin = ["kafka-acls.sh", "--bootstrap-server", "kafka:9092", "--add", "--allow-principal", "User:NAME"]
    assert all(words[: len(begin)] == begin for words in lines())
    assert lines()[0][len(begin) :] == ["--operation", "Read", "--operation", "Create", "--topic", "readings"]


def test_creating_topics_is_allowed_only_where_the_program_does_it() -> None:
    """CREATE_TOPICS=false needs none of it, and watch creates nothing."""
    assert any("Create" in words for words in lines())
    assert "Create" not in lines()[-1]
    assert not any("Create" in words for words in lines(CREATE_TOPICS="false"))


def test_every_instance_has_its_transactional_id() -> None:
    """What they have in common is the prefix."""
    (line,) = [words for words in lines(CONSUMER_GROUP="g") if "--transactional-id" in words]
    assert line[-4:] == ["--transactional-id", "g-", "--resource-pattern-type", "prefixed"]


def test_a_group_may_have_any_name() -> None:
    """The shell reads it as one word."""
    (line,) = [words for words in lines(CONSUMER_GROUP="a b; c", CHANGELOG_TOPIC="c") if "--group" in words]
    assert line[-1] == "a b; c"
