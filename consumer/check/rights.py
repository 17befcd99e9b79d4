"""Finds out of each right that the service needs whether it is there, without using it."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from consumer.check.findings import Finding, note, ok, refused
from consumer.check.patience import patiently, words
from season.authorization import allowed
from season.fault import Properties, null_logger
from season.kafka import DENIALS
from season.rights import CREATE, GROUP, TOPIC, TRANSACTIONAL_ID, Right

_ANSWER_S = 10.0
_ENDLESS_MS = 2**31 - 1
_REMEDY = "python -m consumer check --acls prints the kafka-acls.sh lines that are enough"


def findings(admin: AdminClient, rights: Sequence[Right], properties: Properties, create: bool) -> list[Finding]:
    """Return a finding for each right, and for CREATE on each topic that the start would create."""
    missing = _missing_topics(admin, rights)
    on_topics = [right for right in rights if right.resource == TOPIC]
    found = [note(f"{right}: told once the topic is there") for right in on_topics if right.name in missing]
    if create:
        to_create = dict.fromkeys(Right(CREATE, TOPIC, r.name, r.setting) for r in on_topics if r.name in missing)
        found += [_finding(right, _may_create(admin, right)) for right in to_create]
    found += _described(admin, [right for right in on_topics if right.name not in missing])
    found += _described(admin, [right for right in rights if right.resource == GROUP])
    return found + [on_id(admin, right, properties) for right in rights if right.resource == TRANSACTIONAL_ID]


def _missing_topics(admin: AdminClient, rights: Sequence[Right]) -> set[str]:
    """Return the names of topics that do not exist, as far as this account may know."""
    names = list({right.name for right in rights if right.resource == TOPIC})
    answers = admin.describe_topics(TopicCollection(names), request_timeout=_ANSWER_S)
    errors = {name: answer.exception() for name, answer in answers.items()}
    return {
        name
        for name, error in errors.items()
        if isinstance(error, KafkaException) and error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    }


def _described(admin: AdminClient, rights: Sequence[Right]) -> list[Finding]:
    try:
        answers = patiently(lambda: allowed(admin, rights))
    except KafkaException as exception:
        return [note(f"{right}: cannot be told now: {words(exception)}") for right in rights]
    return [
        note(f"{right}: the broker does not tell") if there is None else _finding(right, there)
        for right, there in answers.items()
    ]


def _finding(right: Right, there: bool) -> Finding:
    return ok(str(right)) if there else refused(f"{right}: this right is missing", _REMEDY)


def _may_create(admin: AdminClient, right: Right) -> bool:
    """Return whether the broker would let this account create a topic; creates none."""
    answer = admin.create_topics([NewTopic(right.name, 1)], request_timeout=_ANSWER_S, validate_only=True)[right.name]
    try:
        answer.result()
    except KafkaException as exception:
        return exception.args[0].code() not in DENIALS
    return True


def on_id(admin: AdminClient, right: Right, properties: Properties) -> Finding:
    """Return the finding on the transactional id, asked in a way that no broker grants, so that nobody is fenced.

    A broker looks at the right first, and then at the transaction's timeout: a timeout that is
    longer than `transaction.max.timeout.ms` (15 minutes by default) is refused, and the id's state is not changed.
    """
    if _endless_is_granted(admin):
        return note(f"{right}: cannot be asked, since this broker would grant any timeout, and fence who has the id")
    try:
        Producer(
            {
                **properties,
                "transactional.id": right.name,
                "transaction.timeout.ms": _ENDLESS_MS,
                "logger": null_logger,
            }
        ).init_transactions(_ANSWER_S)
    except KafkaException as exception:
        error = exception.args[0]
        if error.code() == KafkaError.INVALID_TRANSACTION_TIMEOUT:
            return ok(str(right))
        if error.code() in DENIALS:
            return _finding(right, there=False)
        return note(f"{right}: cannot be told now: {words(exception)}")
    return note(f"{right}: it is there, but this broker grants any timeout: an instance that had the id is fenced")


def _endless_is_granted(admin: AdminClient) -> bool:
    """Return whether the broker says that it accepts a timeout without end; many accounts may not ask."""
    broker = next(iter(admin.list_topics(timeout=_ANSWER_S).brokers))
    resource = ConfigResource(ResourceType.BROKER, str(broker))
    try:
        entries = admin.describe_configs([resource], request_timeout=_ANSWER_S)[resource].result()
    except KafkaException:
        return False
    return "transaction.max.timeout.ms" in entries and int(entries["transaction.max.timeout.ms"].value) >= _ENDLESS_MS
