"""Finds out how long the group waits for a member that died without leaving it."""

from collections.abc import Mapping
from typing import Any

from season.client.admin import Admin
from season.client.errors import ClientError

_CLIENT_DEFAULT_MS = 45_000  # librdkafka's session.timeout.ms
_ANSWER_WITHIN_S = 5.0


def is_newer_protocol(properties: Mapping[str, Any]) -> bool:
    """Return whether a client with these properties speaks the group protocol of KIP-848."""
    return str(properties.get("group.protocol", "")).lower() == "consumer"


def session_timeout(admin: Admin, properties: Mapping[str, Any], group: str) -> str:
    """Return the session timeout in force, with the name of the setting it comes from, for a person.

    Under the classic protocol it is the client's. Under the newer one it is the broker's, which not every account
    may ask for: then the sentence names the broker's setting alone.
    """
    if not is_newer_protocol(properties):
        return f"{_seconds(properties.get('session.timeout.ms', _CLIENT_DEFAULT_MS))} (session.timeout.ms)"
    try:
        config = admin.configuration("group", group, _ANSWER_WITHIN_S)
        return f"{_seconds(config['consumer.session.timeout.ms'])} (the broker's session timeout)"
    except (ClientError, KeyError):
        return "the broker's group.consumer.session.timeout.ms (45 s unless set)"


def _seconds(milliseconds: str | int) -> str:
    return f"{int(milliseconds) / 1000:g} s"
