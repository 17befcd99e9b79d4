"""Which of the settings is at fault where the Kafka client refuses a set of properties, and in which words."""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from season.catalogue import SERVERS
from season.client.errors import ClientError
from season.settings import SettingError
from season.spelling import nearest

Properties = dict[str, Any]
Make = Callable[[Properties], object]
"""What makes a client: one is made, connected to nothing and dropped."""

# Properties of the Python client that take an object: no text from the environment is one.
_OBJECTS = {"logger", "default.topic.config"}
_SECRET = re.compile(r"password|secret|\.pem|\.key(?!(store)?\.location)|private|oauthbearer\.config|jaas")
_UNKNOWN = "No such configuration property"
_TOGETHER = "Failed to create"
"""The client's first words where properties do not fit each other; else one property is wrong by itself."""

_MECHANISMS = {"sasl.mechanism", "sasl.mechanisms"}
_ALLOWED_MECHANISMS = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER is allowed"
_LOGIN = {"security.protocol": "sasl_plaintext", "sasl.username": "x", "sasl.password": "x"}
"""With these properties the client says of each mechanism whether it knows it."""
_MISSING = re.compile(r"`?([a-z][a-z0-9.]+)`?(?: and ([a-z][a-z0-9.]+))? (?:must be set$|is mandatory when)")
_WRONG_PASSWORD = re.compile(r"mac verify failure|wrong password")
_PERHAPS_PASSWORD = "PEM lib"  # OpenSSL's words for a key with another password, and for a file that holds no key

null_logger = logging.Logger("season.kafka")
"""A logger without parent: it drops the client's own lines, since this program reports what matters."""
null_logger.addHandler(logging.NullHandler())


def check(make: Make, names: Mapping[str, str], given: Properties, ours: Properties) -> None:
    """Raise SettingError for the setting that makes the client refuse `given` together with `ours`.

    `names` has the name of the setting for each property of `given`.
    """
    users = {name: value for name, value in given.items() if name != "bootstrap.servers"}
    refusal = _refusal(make, {**ours, **users})
    if refusal is None:
        return
    for name, value in users.items():
        alone = _refusal(make, {name: value})
        if alone is not None and not alone.startswith(_TOGETHER):
            raise SettingError(_refused(names, name, value, alone, users))
    _check_mechanism(make, names, users, ours, refusal)
    _check_missing(names, users, refusal)
    at_fault = _mentioned(users, refusal) or _by_trial(make, users, ours) or list(users)
    shown = ", ".join(_shown(names[name], name, users[name]) for name in at_fault)
    raise SettingError(f"{shown}: {hidden(refusal, users)}")


def is_secret(property_name: str) -> bool:
    """Return whether the value of a client's property must never be shown."""
    return _SECRET.search(property_name) is not None


def hidden(sentence: str, users: Mapping[str, str]) -> str:
    """Return a sentence of the client's without its first words, and without the secrets among these properties."""
    sentence = re.sub(f"^{_TOGETHER} [a-z]+: ", "", sentence)
    for name, value in users.items():
        if is_secret(name):
            sentence = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "***", sentence)
    return sentence


def _check_mechanism(make: Make, names: Mapping[str, str], users: Properties, ours: Properties, refusal: str) -> None:
    """Raise SettingError where the client does not know the SASL mechanism, or it is missing but must be set."""
    if not str(users.get("security.protocol", "")).lower().startswith("sasl"):
        return
    mechanisms = _MECHANISMS & users.keys()
    if not mechanisms and "SASL mechanism" in refusal:
        raise SettingError(
            f"{_setting('sasl.mechanism')} is not set: {hidden(refusal, users)}; {_ALLOWED_MECHANISMS}"
        )
    for name in mechanisms:
        unknown = _refusal(make, {**ours, **_LOGIN, name: users[name]})
        if unknown is not None:
            raise SettingError(f"{_refused(names, name, users[name], unknown, users)}; {_ALLOWED_MECHANISMS}")


def _check_missing(names: Mapping[str, str], users: Properties, refusal: str) -> None:
    """Raise SettingError where the client misses a property that the others need."""
    match = _MISSING.search(refusal)
    missing = [name for name in match.groups() if name and name not in users] if match else []
    if missing:
        settings = " and ".join(_setting(name) for name in missing)
        raise SettingError(f"{settings} {'is' if len(missing) == 1 else 'are'} not set: {hidden(refusal, users)}")


def _mentioned(users: Properties, refusal: str) -> list[str]:
    """Return the properties that a refusal names or, where it names none, whose values it quotes."""
    named = [name for name in users if _stands_in(name, refusal)]
    if not named:
        named = [name for name, value in users.items() if not is_secret(name) and _stands_in(str(value), refusal)]
    # What only turns a thing on (security.protocol) is seldom what is wrong with it.
    named = [name for name in named if not name.endswith("protocol")] or named
    passwords = {name: f"{name.rpartition('.')[0]}.password" for name in named}
    with_passwords = [password for password in passwords.values() if password in users]
    if _WRONG_PASSWORD.search(refusal) and with_passwords:
        return with_passwords
    return named + with_passwords if refusal.endswith(_PERHAPS_PASSWORD) else named


def _stands_in(text: str, sentence: str) -> bool:
    return len(text) > 2 and re.search(rf"(?<![\w.]){re.escape(text)}(?![\w-]|\.\w)", sentence) is not None


def _by_trial(make: Make, users: Properties, ours: Properties) -> list[str]:
    """Return the property that is refused together with ours or without which nothing is refused."""
    switches = {name: value for name, value in users.items() if name.endswith("protocol")}
    others = {name: value for name, value in users.items() if name not in switches}
    if _refusal(make, {**ours, **switches}) is None:
        for name, value in others.items():
            if _refusal(make, {**ours, **switches, name: value}) is not None:
                return [name]
    for name in others | switches:
        without = {other: users[other] for other in users if other != name}
        if _refusal(make, {**ours, **without}) is None:
            return [name]
    return []


def _refusal(make: Make, properties: Properties) -> str | None:
    """Return the client's error for these properties, or None. Without addresses it connects to no broker."""
    if objects := _OBJECTS & properties.keys():
        return f'{_UNKNOWN}: "{objects.pop()}"'
    tried = {name: value for name, value in properties.items() if name != "bootstrap.servers"}
    try:
        make({**tried, "logger": null_logger})
    except ClientError as error:
        return error.sentence.strip()
    except (TypeError, ValueError, SystemError, AttributeError) as error:
        return str(error.__cause__ or error)
    return None


def _refused(names: Mapping[str, str], name: str, value: str, refusal: str, users: Properties) -> str:
    if _UNKNOWN in refusal:  # its value is not shown: it may be a secret under a name that is misspelt
        meant = nearest(names[name], [SERVERS])
        hint = f"{meant} may be meant" if meant else "see the list of librdkafka's properties"
        return f"{names[name]}: the Kafka client has no property {name}; {hint}"
    return f"{_shown(names[name], name, value)}: {hidden(refusal, users)}"


def _shown(setting: str, name: str, value: str) -> str:
    return setting if is_secret(name) else f"{setting}={value!r}"


def _setting(name: str) -> str:
    return f"KAFKA_{name.upper().replace('.', '_')}"
