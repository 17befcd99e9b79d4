"""Whose a changelog is: a claim is the first record of its partition 0, and the first one in the log's order holds.

Format, version 1: JSON, `{"version": 1, "group": …, "readings": …, "topic_id": …}`, under the key `claim-` and 32
hex digits. No two claims have one key: compaction, which keeps the latest record of a key, would move the first
claim of several equal ones behind another deployment's.
"""

from dataclasses import dataclass

import msgspec

from consumer.core.record import DamagedError

_KEY = b"claim-"
_VERSION = 1


@dataclass(frozen=True)
class Claim:
    """A deployment: its consumer group, and the topic that it reads, by name and id."""

    group: str
    readings: str
    topic_id: str


class _Written(msgspec.Struct, frozen=True):
    version: int
    group: str
    readings: str
    topic_id: str


def key(unique: str) -> bytes:
    """Return the key of a new claim; `unique` is nobody else's."""
    return _KEY + unique.encode()


def is_claim(key: bytes | None) -> bool:
    """Return whether a record of the changelog is a claim, by its key."""
    return key is not None and key.startswith(_KEY)


def encode(claim: Claim) -> bytes:
    """Return the value of a claim's record."""
    return msgspec.json.encode(_Written(_VERSION, claim.group, claim.readings, claim.topic_id))


def decode(value: bytes | None) -> Claim:
    """Return the claim that a record's value holds. Raises `DamagedError`."""
    try:
        written = msgspec.json.decode(value or b"", type=_Written)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"its claim cannot be read ({error})") from None
    if written.version != _VERSION:
        raise DamagedError(f"its claim has format version {written.version}, this program reads version {_VERSION}")
    return Claim(written.group, written.readings, written.topic_id)
