"""What the client answers, and what of it is no answer."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ListOffsetsResultInfo  # type: ignore[attr-defined]

from season.client.admin import Admin
from season.client.errors import ClientError, Code
from tests.fake_kafka.admin import done


def answering(offset: int) -> Admin:
    """A client whose broker gives this offset of each partition."""
    answer = done(ListOffsetsResultInfo(offset, 5000, 0))
    client: Any = SimpleNamespace(list_offsets=lambda asked, **_: dict.fromkeys(asked, answer))
    return Admin(client)


def test_an_answer_without_an_offset_is_none() -> None:
    """-1001 without an error, as the client says it of a partition whose leader has gone, is no topic's end."""
    for offset in (0, 7):
        assert answering(offset).offsets("t", [3], "latest", 1.0)[3].result() == offset
    with pytest.raises(ClientError) as caught:
        answering(-1001).offsets("t", [3], "latest", 1.0)[3].result()
    assert caught.value.code == Code.LEADER_NOT_AVAILABLE


def test_a_timestamp_is_there_without_an_offset() -> None:
    """Of an empty partition too, where it is negative; in seconds."""
    assert answering(-1).offsets("t", [3], "max_timestamp", 1.0)[3].timestamp() == 5.0


def test_no_question_is_asked_for_no_partitions() -> None:
    """The client would refuse it."""
    assert Admin(None).offsets("t", [], "latest", 1.0) == {}  # type: ignore[arg-type]


def test_the_clients_exceptions_do_not_cross_the_border() -> None:
    """Those of a call, and those of an answer that comes later; with all that is known of them."""
    error = KafkaException(KafkaError(KafkaError._TRANSPORT, "away", retriable=True))

    def fail(*_: object, **__: object) -> None:
        raise error

    late = SimpleNamespace(result=fail)
    client: Any = SimpleNamespace(list_topics=fail, list_offsets=lambda asked, **_: dict.fromkeys(asked, late))
    for call in (lambda: Admin(client).cluster(1.0), Admin(client).offsets("t", [0], "latest", 1.0)[0].result):
        with pytest.raises(ClientError) as caught:
            call()
        found = caught.value
        assert (found.code, found.name, found.sentence) == (Code.TRANSPORT, "_TRANSPORT", "away")
        assert (found.retriable, found.fatal, found.requires_abort) == (True, False, False)
        assert found.meaning == "Local: Broker transport failure"
