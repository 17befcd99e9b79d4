"""Finds out of each right that the service needs whether it is there, without using it."""

from collections.abc import Sequence

from consumer.check.findings import Finding, note, ok, refused
from consumer.check.patience import patiently, words
from season.authorization import allowed
from season.client.admin import Admin
from season.client.errors import ClientError, Code
from season.client.producer import ClientProducer
from season.fault import Properties, null_logger
from season.kafka import DENIALS
from season.rights import CREATE, GROUP, TOPIC, TRANSACTIONAL_ID, Right

_ANSWER_S = 10.0
_ENDLESS_MS = 2**31 - 1
_REMEDY = "python -m consumer check --acls prints the kafka-acls.sh lines that are enough"


def findings(admin: Admin, rights: Sequence[Right], properties: Properties, create: bool) -> list[Finding]:
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


def _missing_topics(admin: Admin, rights: Sequence[Right]) -> set[str]:
    """Return the names of topics that do not exist, as far as this account may know."""
    names = list({right.name for right in rights if right.resource == TOPIC})
    return {
        name
        for name, answer in admin.topics(names, _ANSWER_S).items()
        if isinstance(answer, ClientError) and answer.code == Code.UNKNOWN_TOPIC_OR_PART
    }


def _described(admin: Admin, rights: Sequence[Right]) -> list[Finding]:
    try:
        answers = patiently(lambda: allowed(admin, rights))
    except ClientError as error:
        return [note(f"{right}: cannot be told now: {words(error)}") for right in rights]
    return [
        note(f"{right}: the broker does not tell") if there is None else _finding(right, there)
        for right, there in answers.items()
    ]


def _finding(right: Right, there: bool) -> Finding:
    return ok(str(right)) if there else refused(f"{right}: this right is missing", _REMEDY)


def _may_create(admin: Admin, right: Right) -> bool:
    """Return whether the broker would let this account create a topic; creates none."""
    try:
        admin.create_topic(right.name, 1, {}, _ANSWER_S, only_ask=True)
    except ClientError as error:
        return error.code not in DENIALS
    return True


def on_id(admin: Admin, right: Right, properties: Properties) -> Finding:
    """Return the finding on the transactional id, asked in a way that no broker grants, so that nobody is fenced.

    A broker looks at the right first, and then at the transaction's timeout: a timeout that is
    longer than `transaction.max.timeout.ms` (15 minutes by default) is refused, and the id's state is not changed.
    """
    if _endless_is_granted(admin):
        return note(f"{right}: cannot be asked, since this broker would grant any timeout, and fence who has the id")
    try:
        ClientProducer(
            {
                **properties,
                "transactional.id": right.name,
                "transaction.timeout.ms": _ENDLESS_MS,
                "logger": null_logger,
            }
        ).init_transactions(_ANSWER_S)
    except ClientError as error:
        if error.code == Code.INVALID_TRANSACTION_TIMEOUT:
            return ok(str(right))
        if error.code in DENIALS:
            return _finding(right, there=False)
        return note(f"{right}: cannot be told now: {words(error)}")
    return note(f"{right}: it is there, but this broker grants any timeout: an instance that had the id is fenced")


def _endless_is_granted(admin: Admin) -> bool:
    """Return whether the broker says that it accepts a timeout without end; many accounts may not ask."""
    broker = next(iter(admin.cluster(_ANSWER_S).brokers))
    try:
        longest = admin.configuration("broker", str(broker), _ANSWER_S).get("transaction.max.timeout.ms")
    except ClientError:
        return False
    return longest is not None and int(longest) >= _ENDLESS_MS
