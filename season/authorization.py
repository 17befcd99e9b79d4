"""Asks the broker which rights a program lacks: at its start, and again where the broker has denied something."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence

from season.client.admin import Admin, GroupDescription, TopicDescription
from season.client.errors import ClientError, Code
from season.fault import Properties
from season.kafka import DENIALS, DeniedError
from season.rights import GROUP, TOPIC, TRANSACTIONAL_ID, Right, refusal
from season.settings import RefusedError

_ANSWER_S = 5.0  # how long one question may take
_PATIENCE_S = 5.0  # how long the start tries to ask; after that the first call that needs a right finds out
_SPREADING_S = 3.0  # how long one broker may be behind another one that has denied something
_PAUSE_S = 0.2

_RESOURCE_OF: dict[int, str] = {
    Code.GROUP_AUTHORIZATION_FAILED: GROUP,
    Code.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: TRANSACTIONAL_ID,
}


class Authorization:
    """The rights that one program needs, held to what the broker allows it."""

    def __init__(self, admin: Admin, rights: Sequence[Right], properties: Properties) -> None:
        self._admin, self._rights = admin, rights
        user = properties.get("sasl.username")
        # The broker does not say which principal it sees: only the settings are known.
        self._account = f"this program (KAFKA_SASL_USERNAME={user!r})" if user else "this program"

    def demand(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Raise RefusedError where the broker says that a right on a topic is missing; a topic may not exist yet.

        Rights on a group or a transactional id show in the first call that needs them: the client may not survive
        that a group's coordinator goes away under the question, and for a transactional id the broker has none.
        """
        on_topics = [right for right in self._rights if right.resource == TOPIC]
        deadline = time.monotonic() + _PATIENCE_S
        while not stopped() and time.monotonic() < deadline:
            try:
                lacking = missing(self._admin, on_topics)
            except ClientError:
                time.sleep(_PAUSE_S)
                continue
            if lacking:
                raise refusal(lacking, self._account)
            return

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn a DeniedError inside the context into the RefusedError that names every right that is missing now.

        The broker's own error often names no resource, so it is asked again.
        """
        try:
            yield
        except DeniedError as denied:
            lacking = self._lacking(denied)
            if not lacking:
                raise RefusedError(str(denied)) from None
            raise refusal(lacking, self._account) from None

    def _lacking(self, denied: DeniedError) -> list[Right]:
        """Return what is known to be missing from the error itself, and what the broker says when it is asked."""
        known = [denied.right] if denied.right else self._of(_RESOURCE_OF.get(denied.code))
        deadline = time.monotonic() + (0.0 if known else _SPREADING_S)
        while True:
            asked: list[Right] = []
            for resource in (TOPIC, GROUP):
                with contextlib.suppress(
                    ClientError
                ):  # it cannot answer now: the error names what is known without it
                    asked += missing(self._admin, self._of(resource))
            if asked or time.monotonic() >= deadline:
                return [*dict.fromkeys(sorted([*known, *asked], key=self._position))]
            time.sleep(_PAUSE_S)

    def _of(self, resource: str | None) -> list[Right]:
        return [right for right in self._rights if right.resource == resource]

    def _position(self, right: Right) -> int:
        """Return where a right's resource stands in the list, so that those on one resource are neighbours."""
        return [(one.resource, one.name) for one in self._rights].index((right.resource, right.name))


def missing(admin: Admin, rights: Sequence[Right]) -> list[Right]:
    """Return which of these rights on topics and groups the broker denies, in their order. Raises ClientError.

    A topic that does not exist lacks nothing. A broker without an authorizer allows everything; one that returns no
    operations counts as such.
    """
    return [right for right, there in allowed(admin, rights).items() if there is False]


def allowed(admin: Admin, rights: Sequence[Right]) -> dict[Right, bool | None]:
    """Return for each right whether the broker allows it; None where it does not say. Raises ClientError."""
    operations = _operations(admin, rights)

    def there(right: Right) -> bool | None:
        granted = operations[right.resource, right.name]
        return None if granted is None else right.operation in granted

    return {right: there(right) for right in rights if right.resource != TRANSACTIONAL_ID}


def _operations(admin: Admin, rights: Sequence[Right]) -> dict[tuple[str, str], frozenset[str] | None]:
    """Return for each topic and group the operations that the broker allows; None where it does not say."""
    found: dict[tuple[str, str], frozenset[str] | None] = {}
    topics = list(dict.fromkeys(right.name for right in rights if right.resource == TOPIC))
    if topics:
        answers = admin.topics(topics, _ANSWER_S, operations=True)
        found |= {(TOPIC, name): _allowed_by(answer) for name, answer in answers.items()}
    for group in dict.fromkeys(right.name for right in rights if right.resource == GROUP):
        found[GROUP, group] = _allowed_by(_described(admin, group))
    return found


def _described(admin: Admin, group: str) -> GroupDescription | ClientError:
    try:
        return admin.group(group, _ANSWER_S, operations=True)
    except ClientError as error:
        return error


def _allowed_by(answer: TopicDescription | GroupDescription | ClientError) -> frozenset[str] | None:
    """Return the operations that an answer allows; None where it says nothing about them. Raises ClientError."""
    if not isinstance(answer, ClientError):
        return answer.operations
    if answer.code in DENIALS:
        return frozenset()
    if answer.code == Code.UNKNOWN_TOPIC_OR_PART:
        return None
    raise answer
