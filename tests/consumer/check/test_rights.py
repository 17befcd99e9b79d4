"""The one question of a check that could do harm: for the transactional id of a service that runs."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from consumer.check import rights
from consumer.check.findings import Level
from season.client import producer
from season.client.admin import Admin
from season.rights import TRANSACTIONAL_ID, WRITE, Right

_RIGHT = Right(WRITE, TRANSACTIONAL_ID, "g-one", "INSTANCE_ID")
_FIFTEEN_MINUTES = "900000"


class GrantingAdmin:
    """A broker that grants transactions so long; None: this account may not ask for it."""

    def __init__(self, longest: str | None) -> None:
        self._longest = longest

    def list_topics(self, timeout: float) -> Any:
        """Tell the brokers."""
        return SimpleNamespace(cluster_id="c", brokers={1: SimpleNamespace(host="b", port=1)}, topics={})

    def describe_configs(self, resources: list[Any], request_timeout: float) -> dict[Any, "Future[Any]"]:
        """Tell the longest transaction."""
        future: Future[Any] = Future()
        if self._longest is None:
            future.set_exception(KafkaException(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED)))
        else:
            future.set_result({"transaction.max.timeout.ms": SimpleNamespace(value=self._longest)})
        return {resources[0]: future}


def answered(monkeypatch: pytest.MonkeyPatch, longest: str | None, code: int) -> tuple[Level, list[Any]]:
    """Return the finding's level where the broker answers so, and the timeouts that were asked for."""
    asked: list[Any] = []

    class Producer:
        def __init__(self, properties: dict[str, Any]) -> None:
            asked.append(properties["transaction.timeout.ms"])

        def init_transactions(self, timeout: float) -> None:
            raise KafkaException(KafkaError(code))

    monkeypatch.setattr(producer, "Producer", Producer)
    admin = Admin(cast(AdminClient, GrantingAdmin(longest)))
    finding = rights.on_id(admin, _RIGHT, {})
    return finding.level, asked


@pytest.mark.parametrize(
    ("code", "level"),
    [
        (KafkaError.INVALID_TRANSACTION_TIMEOUT, Level.OK),
        (KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, Level.REFUSED),
        (KafkaError._TIMED_OUT, Level.NOTE),
    ],
)
@pytest.mark.parametrize("longest", [_FIFTEEN_MINUTES, None])
def test_the_broker_refuses_the_timeout_only_to_those_who_may_write(
    monkeypatch: pytest.MonkeyPatch, longest: str | None, code: int, level: Level
) -> None:
    """So the refusal says that the right is there; it is asked for with the longest timeout there is."""
    assert answered(monkeypatch, longest, code) == (level, [2**31 - 1])


def test_a_broker_that_would_grant_it_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would give the id away, and fence the instance that has it."""
    level, asked = answered(monkeypatch, str(2**31 - 1), KafkaError._TIMED_OUT)
    assert level is Level.NOTE
    assert asked == []
