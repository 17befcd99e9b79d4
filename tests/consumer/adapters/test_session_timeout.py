"""The session timeout is the one in force, under either group protocol."""

from concurrent.futures import Future
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.adapters.session_timeout import session_timeout
from season.client.admin import Admin


class Entry:
    """One setting of the broker's."""

    def __init__(self, value: str) -> None:
        self.value = value


class GroupAdmin:
    """Answers with the settings of a group, or with an error."""

    def __init__(self, answer: dict[str, Entry] | KafkaException) -> None:
        self._answer = answer

    def describe_configs(self, resources: list[Any], **_: float) -> dict[Any, "Future[Any]"]:
        """As the client does."""
        future: Future[Any] = Future()
        if isinstance(self._answer, KafkaException):
            future.set_exception(self._answer)
        else:
            future.set_result(self._answer)
        return {resources[0]: future}


REFUSED = KafkaException(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))
NEWER = {"group.protocol": "CONSUMER"}


@pytest.mark.parametrize(
    ("properties", "answer", "expected"),
    [
        ({}, REFUSED, "45 s (session.timeout.ms)"),
        ({"session.timeout.ms": "10000", "group.protocol": "classic"}, REFUSED, "10 s (session.timeout.ms)"),
        (NEWER, {"consumer.session.timeout.ms": Entry("9500")}, "9.5 s (the broker's session timeout)"),
        (NEWER, {}, "the broker's group.consumer.session.timeout.ms (45 s unless set)"),
        (NEWER, REFUSED, "the broker's group.consumer.session.timeout.ms (45 s unless set)"),
    ],
)
def test_the_session_timeout_in_force(properties: dict[str, str], answer: Any, expected: str) -> None:
    """The client's under the classic protocol; the broker's under the newer one, where it may be asked."""
    assert session_timeout(Admin(cast(Any, GroupAdmin(answer))), properties, "group") == expected
