"""The sentence for a group that does not take this service: who is in it, as far as the broker tells."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

from confluent_kafka import ConsumerGroupState, ConsumerGroupType, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from consumer.adapters.group import ForeignGroupError, foreign
from season.client.admin import Admin
from season.settings import RefusedError, SettingError

_REFUSED = ForeignGroupError("Broker: Inconsistent group protocol")


class GroupAnswers:
    """A broker that says this of the group, or fails so."""

    def __init__(self, members: list[Any], error: int | None = None) -> None:
        self._members, self._error = members, error

    def describe_consumer_groups(self, names: list[str], **_: Any) -> dict[str, "Future[Any]"]:
        """Answer as the admin client does."""
        future: Future[Any] = Future()
        if self._error is not None:
            future.set_exception(KafkaException(KafkaError(self._error)))
            return {names[0]: future}
        told = SimpleNamespace(
            state=ConsumerGroupState.STABLE,
            type=ConsumerGroupType.CLASSIC,
            partition_assignor="range",
            members=self._members,
        )
        future.set_result(told)
        return {names[0]: future}


def member(number: int, *partitions: tuple[str, int]) -> Any:
    """Return a member as the client describes it."""
    at = [SimpleNamespace(topic=topic, partition=partition) for topic, partition in partitions]
    assignment = SimpleNamespace(topic_partitions=at)
    return SimpleNamespace(client_id=f"billing-{number}", host="/10.0.0.7", assignment=assignment)


def client(members: list[Any], error: int | None = None) -> Admin:
    """Return such a broker as the client that it stands for."""
    return Admin(cast(AdminClient, GroupAnswers(members, error)))


def test_who_is_in_the_group_is_said() -> None:
    """Five of them, and how many more; each name at its host once."""
    raised = foreign(client([member(number % 7) for number in range(14)]), "ours", _REFUSED)
    assert isinstance(raised, SettingError)
    assert str(raised).startswith(
        "CONSUMER_GROUP='ours': another application is in this group, with the assignor 'range'"
    )
    assert "billing-0 at 10.0.0.7, billing-1 at 10.0.0.7," in str(raised)
    assert "billing-4 at 10.0.0.7 and 2 more." in str(raised)


def test_a_group_without_members_is_no_other_applications() -> None:
    """Then the broker has another reason, and its words are all there is."""
    raised = foreign(client([]), "ours", _REFUSED)
    assert isinstance(raised, RefusedError)
    assert "Inconsistent group protocol" in str(raised)


def test_a_group_that_cannot_be_described_is_named_all_the_same() -> None:
    """The setting that is to be put right does not depend on that."""
    raised = foreign(client([], KafkaError._TIMED_OUT), "ours", _REFUSED)
    assert isinstance(raised, SettingError)
    assert str(raised).startswith("CONSUMER_GROUP='ours': the group does not take this service")


def test_a_members_partitions_are_told_by_topic() -> None:
    """In their order."""
    group = client([member(0, ("b", 2), ("a", 1), ("b", 0))]).group("ours", 5.0)
    assert group.members[0].partitions == {"a": [1], "b": [0, 2]}
