"""A message as it travels through the programs: the client's own object, of which we know these methods.

No object of ours is made for a message: on the way of the readings that would cost more than to read them.
"""

from dataclasses import dataclass
from operator import methodcaller
from typing import Protocol, cast

Headers = list[tuple[str, str | bytes | None]]

# For a name that is not UTF-8 the client's method returns a value with an exception set. In a method call that the
# interpreter has specialised it does not check for that: the exception comes up elsewhere, and ends the program.
_given_headers = methodcaller("headers")


class KafkaMessage(Protocol):
    """A message of a topic."""

    def topic(self) -> str | None: ...  # noqa: D102
    def partition(self) -> int | None: ...  # noqa: D102
    def offset(self) -> int | None: ...  # noqa: D102
    def key(self) -> bytes | None: ...  # noqa: D102
    def value(self) -> bytes | None: ...  # noqa: D102


@dataclass(frozen=True)
class UnreadableMessage:
    """A message of which the client can read nothing but where it stands."""

    name: str
    number: int
    at: int

    def topic(self) -> str:
        """Return the topic's name."""
        return self.name

    def partition(self) -> int:
        """Return the partition's number."""
        return self.number

    def offset(self) -> int:
        """Return the offset."""
        return self.at

    def key(self) -> None:
        """Return nothing."""

    def value(self) -> None:
        """Return nothing."""

    def headers(self) -> None:
        """Return nothing."""


def headers_of(message: KafkaMessage) -> Headers | None:
    """Return a message's headers; None where the client can read none of them, since a name is not UTF-8."""
    try:
        return list(cast(Headers, _given_headers(message) or []))
    except (SystemError, UnicodeError):
        return None
