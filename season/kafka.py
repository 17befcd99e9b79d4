"""How a program reaches Kafka: KAFKA_* settings to client properties, waiting for the broker, Java's partitioner."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo  # type: ignore[attr-defined]

from season.cli import StoppedError
from season.settings import RefusedError, SettingError, check_text

DEFAULT_SERVERS = "localhost:9092"
PARTITIONER = "murmur2_random"
"""The `partitioner` of our producers: a key goes where Java's producer, Kafka Connect and ksqlDB put it."""

Properties = dict[str, Any]

# What Kubernetes (a service called kafka) and Kafka's images put into the environment of a container.
_IGNORED = re.compile(
    r"KAFKA_(?:(?:.*_)?SERVICE_HOST|(?:.*_)?SERVICE_PORT.*|(?:.*_)?PORT(?:_.*)?|(?:.*_)?OPTS|JMX_.*|HOME|VERSION)"
)
# The promises rest on these; the client takes them by more than one name, and topic-level ones behind "topic." too.
_OURS = {
    "group.id", "transactional.id", "transaction.timeout.ms", "isolation.level", "enable.auto.commit",
    "auto.commit.enable", "enable.auto.offset.store", "enable.idempotence", "enable.partition.eof", "acks",
    "request.required.acks", "partitioner", "auto.offset.reset", "allow.auto.create.topics",
    "partition.assignment.strategy",
}  # fmt: skip
# Properties of the Python client that take an object: no text from the environment is one.
_OBJECTS = {"logger", "default.topic.config"}
_MEMBERS_ONLY = {"group.protocol", "group.instance.id", "session.timeout.ms", "heartbeat.interval.ms"}
_SECRET = re.compile(r"password|secret|\.pem|\.key(?!(store)?\.location)|private|oauthbearer\.config|jaas")
_UNKNOWN = "No such configuration property"
_TOGETHER = "Failed to create"
"""So the client begins what it says of properties that are wrong beside each other; else one is wrong by itself."""
_SERVER = re.compile(r"(?:[a-zA-Z_]+://)?(?:\[[0-9a-fA-F:.%]+\]|[^\s:/\[\],]+)(?::([0-9]{1,5}))?")

# A logger of no tree: the client's own lines on standard error go nowhere, what matters of them is told by us.
_silent = logging.Logger("season.kafka")
_silent.addHandler(logging.NullHandler())


def client_properties(environ: Mapping[str, str]) -> Properties:
    """The properties that the environment gives every client: `bootstrap.servers`, and a.b for each KAFKA_A_B.

    Raises SettingError where a property is unknown, is ours to set, or is refused by the client.
    """
    names = _names(environ)
    for name in names.values():
        check_text(name, environ[name])
    servers = names.pop("bootstrap.servers", None) or names.pop("metadata.broker.list", None)
    names.pop("metadata.broker.list", None)
    for property_name, name in names.items():
        if property_name.removeprefix("topic.") in _OURS:
            raise SettingError(
                f"{name}={environ[name]!r}: {property_name} is set by the program, since its promises rest on it; "
                "leave it out"
            )
    properties: Properties = {"bootstrap.servers": environ[servers] if servers else DEFAULT_SERVERS}
    if servers:
        _check_servers(servers, environ[servers])
    properties |= {property_name: environ[name] for property_name, name in names.items()}
    check(Producer, environ, properties, {})
    return properties


def beside(make: Callable[[Properties], object], environ: Mapping[str, str], ours: Properties) -> Properties:
    """The properties of one client: ours, with those of the environment beside and, where both are, over them.

    `make` is the client's class (Producer, Consumer): one is made, connected to nothing and dropped, so that what
    the client refuses is found here. Raises SettingError with the client's sentence behind the setting's name.
    """
    given = client_properties(environ)
    check(make, environ, given, ours)
    return {**ours, **given}


def groupless(properties: Properties) -> Properties:
    """The same properties for a consumer that joins no group: without those that are for members alone."""
    return {name: value for name, value in properties.items() if name not in _MEMBERS_ONLY}


def check(
    make: Callable[[Properties], object], environ: Mapping[str, str], given: Properties, ours: Properties
) -> None:
    """Raise SettingError for the setting that makes the client refuse `given` beside `ours`."""
    users = {name: value for name, value in given.items() if name != "bootstrap.servers"}
    refusal = _refusal(make, {**ours, **users})
    if refusal is None:
        return
    names = _names(environ)
    for name, value in users.items():
        alone = _refusal(make, {name: value})
        if alone is not None and not alone.startswith(_TOGETHER):
            raise SettingError(_refused(names[name], name, value, alone, users))
    # What only turns a thing on (security.protocol) is seldom what is wrong with it.
    switches = {name: value for name, value in users.items() if name.endswith("protocol")}
    others = {name: value for name, value in users.items() if name not in switches}
    if _refusal(make, {**ours, **switches}) is None:
        for name, value in others.items():
            beside_them = _refusal(make, {**ours, **switches, name: value})
            if beside_them is not None:
                raise SettingError(_refused(names[name], name, value, beside_them, users))
    for name, value in (others | switches).items():
        without = {other: users[other] for other in users if other != name}
        if _refusal(make, {**ours, **without}) is None:
            raise SettingError(_refused(names[name], name, value, refusal, users))
    raise SettingError(f"{', '.join(names[name] for name in users)}: {_hidden(refusal, users)}")


def _names(environ: Mapping[str, str]) -> dict[str, str]:
    """Client property -> name of the setting, for each KAFKA_* that is set and not for somebody else."""
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): name
        for name in sorted(environ)
        if name.startswith("KAFKA_") and environ[name] and not _IGNORED.fullmatch(name)
    }


def _check_servers(name: str, value: str) -> None:
    for server in value.split(","):
        match = _SERVER.fullmatch(server.strip())
        if match is None or not 0 < int(match[1] or 9092) < 65536:
            raise SettingError(f"{name}={value!r}: a list of host:port is allowed, with commas between")


def _refusal(make: Callable[[Properties], object], properties: Properties) -> str | None:
    """What the client says against these properties, or None. It is told no broker, so it connects to none."""
    if taken := _OBJECTS & properties.keys():
        return f'{_UNKNOWN}: "{taken.pop()}"'
    tried = {name: value for name, value in properties.items() if name != "bootstrap.servers"}
    try:
        make({**tried, "logger": _silent})
    except KafkaException as error:
        return str(error.args[0].str()).strip()
    except (TypeError, ValueError, SystemError, AttributeError) as error:
        return str(error.__cause__ or error)
    return None


def _refused(setting: str, name: str, value: str, refusal: str, users: Properties) -> str:
    if _UNKNOWN in refusal:  # its value is not shown: it may be a secret under a name that is misspelt
        return f"{setting}: the Kafka client has no property {name}; see the list of librdkafka's properties"
    shown = "" if _SECRET.search(name) else f"={value!r}"
    return f"{setting}{shown}: {_hidden(refusal, users)}"


def _hidden(sentence: str, users: Properties) -> str:
    sentence = re.sub(f"^{_TOGETHER} [a-z]+: ", "", sentence)
    for name, value in users.items():
        if _SECRET.search(name):
            sentence = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "***", sentence)
    return sentence


def connect(
    properties: Properties,
    log: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
    every: float = 10.0,
) -> AdminClient:
    """Wait until the broker answers and return a client for its administration.

    `log` gets a sentence when the wait begins, each `every` seconds of it, and when it is over. Raises RefusedError
    where the broker refuses the credentials, StoppedError within a second of `stopped` becoming true.
    """
    errors: list[KafkaError] = []
    own: Properties = {"error_cb": errors.append, "logger": _silent}
    admin = AdminClient({**properties, **own})
    told: float | None = None
    while not stopped():
        answer = _ask(admin, errors)
        if answer is None:
            if told is not None:
                log(f"the broker at {properties['bootstrap.servers']} answers")
            return admin
        now = time.monotonic()
        if told is None or now - told >= every:
            log(f"waiting for the broker at {properties['bootstrap.servers']}: {answer}")
            told = now
    raise StoppedError


def _ask(admin: AdminClient, errors: list[KafkaError]) -> str | None:
    """None when the broker answers within a second, else why not, in the client's words; RefusedError."""
    errors.clear()
    began = time.monotonic()
    try:
        # Without a topic's name: with one, the broker would create it where it is allowed to.
        admin.list_topics(timeout=1.0)
    except KafkaException as error:
        admin.poll(0)
        refuse([*errors, error.args[0]])
        time.sleep(max(0.0, 0.2 - (time.monotonic() - began)))
        causes = [cause for cause in errors if cause.code() != KafkaError._ALL_BROKERS_DOWN]
        return str((causes[-1] if causes else error.args[0]).str())
    return None


_REFUSALS = {
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}


def refuse(errors: list[KafkaError]) -> None:
    """Raise RefusedError for the first of these errors by which the broker says no to who we are."""
    for error in errors:
        if error.code() in _REFUSALS:
            raise RefusedError(f"the broker refuses this program: {error.str()} ({error.name()})")


def told(answer: ListOffsetsResultInfo) -> int:
    """The offset in an answer of `list_offsets`; KafkaException where there is none.

    Where a partition's leader has just gone, the client says -1001, and tells no error.
    """
    if answer.offset < 0:
        raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
    return int(answer.offset)


def murmur2(data: bytes) -> int:
    """The 32-bit hash of Java's Kafka clients (org.apache.kafka.common.utils.Utils.murmur2), unsigned."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if whole != len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def murmur2_partition(key: bytes, partitions: int) -> int:
    """The partition that Java's clients, and ours, choose for a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
