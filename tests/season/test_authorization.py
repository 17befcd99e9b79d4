"""Which rights are missing: asked of a broker without an authorizer, and of answers that are made up."""

import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]

from kafka_local import Broker
from season import authorization
from season.authorization import Authorization, missing
from season.client.admin import Admin, admin_client
from season.client.errors import ClientError, Code
from season.kafka import DeniedError
from season.rights import CREATE, GROUP, READ, TOPIC, TRANSACTIONAL_ID, WRITE, Right
from season.settings import RefusedError

_READ = Right(READ, TOPIC, "a", "READINGS_TOPIC")
_WRITE = Right(WRITE, TOPIC, "b", "PREDICTIONS_TOPIC")
_GROUP = Right(READ, GROUP, "g", "CONSUMER_GROUP")
_ID = Right(WRITE, TRANSACTIONAL_ID, "g-one", "INSTANCE_ID")
_ALL = [_READ, _WRITE, _GROUP, _ID]
_DESCRIBE = AclOperation.DESCRIBE

Operations = list[AclOperation] | None


@dataclass
class AllowedOperations:
    """What a description says of the operations that are allowed."""

    authorized_operations: Operations
    name: str = ""
    topic_id: str = ""
    partitions: tuple[()] = ()
    state: AclOperation = AclOperation.READ  # anything with a name
    type: None = None
    partition_assignor: str = ""
    members: tuple[()] = ()


@dataclass
class AclAnswers:
    """A broker's answers by name: operations, or an error's code; `b` and the group are allowed unless said."""

    a: Operations | int
    b: Operations | int = field(default_factory=lambda: [AclOperation.WRITE, _DESCRIBE])
    g: Operations | int = field(default_factory=lambda: [AclOperation.READ, _DESCRIBE])
    asked: list[str] = field(default_factory=list)

    def describe_topics(self, topics: TopicCollection, **_: Any) -> dict[str, "Future[AllowedOperations]"]:
        """Answer as the admin client does."""
        return {name: self._answer(name) for name in topics.topic_names}

    def describe_consumer_groups(self, groups: Sequence[str], **_: Any) -> dict[str, "Future[AllowedOperations]"]:
        """Answer as the admin client does."""
        return {name: self._answer(name) for name in groups}

    def _answer(self, name: str) -> "Future[AllowedOperations]":
        self.asked.append(name)
        future: Future[AllowedOperations] = Future()
        said = getattr(self, name)
        if isinstance(said, int):
            future.set_exception(KafkaException(KafkaError(said)))
        else:
            future.set_result(AllowedOperations(said))
        return future


def client(answers: AclAnswers) -> Admin:
    """Return the answers as the client that they stand for."""
    return Admin(cast(AdminClient, answers))


def of(answers: AclAnswers) -> Authorization:
    """Return the authorization of a program that needs all four rights."""
    return Authorization(client(answers), _ALL, {"sasl.username": "season"})


@pytest.mark.parametrize(
    ("said", "lacking"),
    [
        ([AclOperation.READ, _DESCRIBE], []),
        ([_DESCRIBE], [_READ]),
        ([AclOperation.WRITE, _DESCRIBE], [_READ]),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, [_READ]),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, []),
        (None, []),
        ([], []),
    ],
)
def test_what_the_broker_says_of_a_topic(said: Operations | int, lacking: list[Right]) -> None:
    """Not to be described is to lack everything; where nothing is said, nothing is known to lack."""
    assert missing(client(AclAnswers(said)), _ALL) == lacking


def test_a_group_that_may_not_be_described_may_not_be_read() -> None:
    """READ implies DESCRIBE."""
    answers = AclAnswers([AclOperation.READ], g=KafkaError.GROUP_AUTHORIZATION_FAILED)
    assert missing(client(answers), _ALL) == [_GROUP]


def test_the_start_asks_for_topics_alone_and_names_all_that_lack() -> None:
    """The group shows in the first call that needs it."""
    answers = AclAnswers([_DESCRIBE], b=[_DESCRIBE], g=[_DESCRIBE])
    with pytest.raises(RefusedError, match=r"READ on the topic 'a' .*WRITE on the topic 'b'"):
        of(answers).demand()
    assert sorted(answers.asked) == ["a", "b"]


def test_a_broker_that_cannot_tell_now_does_not_hold_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call that needs a right finds out; a stop ends the wait."""
    monkeypatch.setattr(authorization, "_PATIENCE_S", 0.3)
    of(AclAnswers(KafkaError._TIMED_OUT)).demand()
    monkeypatch.setattr(authorization, "_PATIENCE_S", 3600.0)
    of(AclAnswers(KafkaError._TIMED_OUT)).demand(stopped=_after(3))


def _after(calls: int) -> Callable[[], bool]:
    turns = iter([False] * calls)
    return lambda: next(turns, True)


@pytest.mark.parametrize(
    ("denied", "says"),
    [
        (DeniedError(ClientError(Code.GROUP_AUTHORIZATION_FAILED)), "READ on the group 'g' (CONSUMER_GROUP)"),
        (
            DeniedError(ClientError(Code.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)),
            "WRITE on the transactional id 'g-one' (INSTANCE_ID)",
        ),
        (
            DeniedError(ClientError(Code.TOPIC_AUTHORIZATION_FAILED), Right(CREATE, TOPIC, "b", "PREDICTIONS_TOPIC")),
            "CREATE on the topic 'b' (PREDICTIONS_TOPIC), which does not exist yet",
        ),
    ],
)
def test_an_error_that_says_enough_is_explained_by_itself(denied: DeniedError, says: str) -> None:
    """Where the kind of the resource, or the caller, tells which right it was."""
    with pytest.raises(RefusedError) as caught, of(AclAnswers([AclOperation.READ])).explained():
        raise denied
    assert f"denies this program (KAFKA_SASL_USERNAME='season') {says};" in str(caught.value)


def test_what_else_is_missing_is_said_with_it() -> None:
    """One start tells all that is to be granted, those on one resource together."""
    answers = AclAnswers(KafkaError.TOPIC_AUTHORIZATION_FAILED, b=[_DESCRIBE])
    denied = DeniedError(ClientError(Code.TOPIC_AUTHORIZATION_FAILED), Right(CREATE, TOPIC, "b", "PREDICTIONS_TOPIC"))
    says = r"READ on the topic 'a' .*, CREATE and WRITE on the topic 'b'"
    with pytest.raises(RefusedError, match=says), of(answers).explained():
        raise denied


def test_an_error_of_which_the_broker_knows_nothing_keeps_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better the client's sentence than none."""
    monkeypatch.setattr(authorization, "_SPREADING_S", 0.3)
    with (
        pytest.raises(RefusedError, match="Topic authorization failed"),
        of(AclAnswers([AclOperation.READ])).explained(),
    ):
        raise DeniedError(ClientError(Code.TOPIC_AUTHORIZATION_FAILED))


def test_a_group_that_cannot_be_asked_for_hides_no_topic() -> None:
    """Its coordinator may be away while the topics' brokers answer."""
    answers = AclAnswers([_DESCRIBE], g=KafkaError.NOT_COORDINATOR)
    with pytest.raises(RefusedError, match="READ on the topic 'a'"), of(answers).explained():
        raise DeniedError(ClientError(Code.TOPIC_AUTHORIZATION_FAILED))


def test_a_broker_without_an_authorizer_allows_everything(broker: Broker) -> None:
    """It tells all operations, of topics and of groups that nobody has seen yet."""
    admin = admin_client({"bootstrap.servers": broker.bootstrap_servers})
    name = f"rights-{uuid.uuid4().hex[:8]}"
    admin.create_topic(name, 1, {}, 30.0)
    topics = [
        Right(READ, TOPIC, name, "READINGS_TOPIC"),
        Right(WRITE, TOPIC, name, "READINGS_TOPIC"),
        Right(READ, TOPIC, f"{name}-absent", "READINGS_TOPIC"),
    ]
    Authorization(admin, topics, {}).demand()
    assert missing(admin, topics) == []
    assert _when_loaded(lambda: missing(admin, [Right(READ, GROUP, name, "CONSUMER_GROUP")])) == []


def _when_loaded(ask: Callable[[], list[Right]]) -> list[Right]:
    """Return the answer once the group's coordinator is there, which a new broker makes first."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return ask()
        except ClientError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
