"""How a program reaches Kafka: KAFKA_* settings to client properties, waiting for the broker, Java's partitioner."""

import logging
import re
import time
from collections import deque
from collections.abc import Callable, Mapping

from season.catalogue import DEFAULT_SERVERS
from season.cli import StoppedError
from season.client.admin import Admin, admin_client
from season.client.errors import ClientError, Code
from season.client.producer import producer_client
from season.fault import Make, Properties, check, hidden, is_secret, null_logger
from season.rights import Right
from season.settings import RefusedError, SettingError, check_text

PARTITIONER = "murmur2_random"
"""The `partitioner` of our producers: a key goes where Java's producer, Kafka Connect and ksqlDB put it."""

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
_MEMBERS_ONLY = {"group.protocol", "group.instance.id", "session.timeout.ms", "heartbeat.interval.ms"}
_SERVER = re.compile(r"(?:([a-zA-Z_]+)://)?(?:\[[0-9a-fA-F:.%]+\]|[^\s:/\[\],@]+)(?::([0-9]{1,5}))?")
_MAX_REMEMBERED_ERRORS = 100  # of the client's latest errors that are remembered
_PROTOCOLS = {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"}


def client_properties(environ: Mapping[str, str]) -> Properties:
    """Return the properties that the environment gives every client: `bootstrap.servers`, a.b for each KAFKA_A_B.

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
        _check_servers(servers, environ[servers], environ.get(names.get("security.protocol", "")))
    properties |= {property_name: environ[name] for property_name, name in names.items()}
    check(producer_client, names, properties, {})
    return properties


def merged_properties(make: Make, environ: Mapping[str, str], ours: Properties) -> Properties:
    """Return the properties of one client: ours, and those of the environment, which override ours.

    `make` makes such a client: one is made, connected to nothing and dropped, so that what it refuses is found here.
    Raises SettingError with the client's sentence behind the setting's name.
    """
    given = client_properties(environ)
    check(make, _names(environ), given, ours)
    return {**ours, **given}


def presentable(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the KAFKA_* settings that reach the client and their values, with *** in place of secrets."""
    names = _names(environ)
    users = {name: environ[setting] for name, setting in names.items()}
    return {names[name]: "***" if is_secret(name) else hidden(value, users) for name, value in users.items()}


def debug_logger(properties: Properties, say: Callable[[str], None]) -> logging.Logger:
    """Return a client's `logger`: silent, since we say what matters; with KAFKA_DEBUG `say` gets all."""
    if "debug" not in properties:
        return null_logger
    logger = logging.Logger("season.kafka.debug")
    logger.addHandler(_Lines(say))
    return logger


class _Lines(logging.Handler):
    """Hands each line of a client's over."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(record.getMessage())


def groupless(properties: Properties) -> Properties:
    """Return the properties without those that are for members of a group alone."""
    return {name: value for name, value in properties.items() if name not in _MEMBERS_ONLY}


def _names(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the setting's name by client property, for each KAFKA_* that is set and means the client."""
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): name
        for name in sorted(environ)
        if name.startswith("KAFKA_") and environ[name] and not _IGNORED.fullmatch(name)
    }


def _check_servers(setting: str, value: str, protocol: str | None) -> None:
    """Raise SettingError for what is no address, and for a PROTOCOL:// that the client would leave out."""
    in_force = (protocol or "plaintext").lower()
    for server in value.split(","):
        match = _SERVER.fullmatch(server.strip())
        scheme = match[1].lower() if match and match[1] else None
        if match is None or not 0 < int(match[2] or 9092) < 65536 or scheme not in {None, *_PROTOCOLS}:
            raise SettingError(f"{setting}={value!r}: a list of host:port is allowed, with commas between")
        if scheme is not None and scheme != in_force and in_force in _PROTOCOLS:
            raise SettingError(
                f"{setting}={value!r}: {match[1]}:// needs KAFKA_SECURITY_PROTOCOL={scheme.upper()}, but "
                f"{in_force.upper()} is {'set' if protocol else 'its default'}; host:port alone is allowed too"
            )


def connect(
    properties: Properties,
    log: Callable[[str], None],
    stopped: Callable[[], bool] = lambda: False,
    every: float = 10.0,
) -> Admin:
    """Wait until the broker answers and return a client for its administration.

    `log` gets a sentence when the wait begins, each `every` seconds of it, and when it is over. Raises RefusedError
    where the broker refuses the credentials, StoppedError within a second of `stopped` becoming true.
    """
    errors: deque[ClientError] = deque(maxlen=_MAX_REMEMBERED_ERRORS)
    admin = admin_client({**properties, "logger": debug_logger(properties, log)}, on_error=errors.append)
    reported_at: float | None = None
    while not stopped():
        answer = _ask(admin, errors)
        if answer is None:
            if reported_at is not None:
                log(f"the broker at {properties['bootstrap.servers']} answers")
            return admin
        now = time.monotonic()
        if reported_at is None or now - reported_at >= every:
            log(f"waiting for the broker at {properties['bootstrap.servers']}: {answer}")
            reported_at = now
    raise StoppedError


def _ask(admin: Admin, errors: deque[ClientError]) -> str | None:
    """Return None when the broker answers within a second, else the client's reason. Raises RefusedError."""
    errors.clear()
    began = time.monotonic()
    try:
        admin.cluster(1.0)
    except ClientError as error:
        admin.serve()  # brings the errors of no call
        refuse([*errors, error])
        time.sleep(max(0.0, 0.2 - (time.monotonic() - began)))
        causes = [cause for cause in errors if cause.code != Code.ALL_BROKERS_DOWN]
        return (causes[-1] if causes else error).sentence
    admin.serve()
    return None


class DeniedError(RefusedError):
    """The broker denies a right; `code` is the error's, `right` the missing one where the caller knows it."""

    def __init__(self, error: ClientError, right: Right | None = None) -> None:
        super().__init__(f"the broker denies this program a right: {error.sentence} ({error.name})")
        self.code, self.right = error.code, right


_REFUSALS = {Code.AUTHENTICATION, Code.SASL_AUTHENTICATION_FAILED}
DENIALS = {
    Code.TOPIC_AUTHORIZATION_FAILED,
    Code.GROUP_AUTHORIZATION_FAILED,
    Code.CLUSTER_AUTHORIZATION_FAILED,
    Code.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}


def refuse(errors: list[ClientError], right: Right | None = None) -> None:
    """Raise RefusedError for the first of these errors by which the broker says no to who we are.

    Where a right is missing, it is a DeniedError; `right` is that one, if the caller knows it.
    """
    for error in errors:
        if error.code in DENIALS:
            raise DeniedError(error, right)
        if error.code in _REFUSALS:
            raise RefusedError(f"the broker refuses this program: {error.sentence} ({error.name})")


def refuse_reader(errors: list[ClientError]) -> None:
    """Do the same for a consumer that joins no group: its client asks for one's coordinator all the same.

    It names a group since the client wants one, and needs no right on it.
    """
    refuse([error for error in errors if error.code != Code.GROUP_AUTHORIZATION_FAILED])


def murmur2(data: bytes) -> int:
    """Return the 32-bit hash of Java's Kafka clients (org.apache.kafka.common.utils.Utils.murmur2), unsigned."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ len(data)) & mask
    aligned = len(data) & ~3  # the length of the part that is whole words of four bytes
    for i in range(0, aligned, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if aligned != len(data):
        h = (h ^ int.from_bytes(data[aligned:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


def murmur2_partition(key: bytes, partitions: int) -> int:
    """Return the partition that Java's clients, and ours, choose for a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
