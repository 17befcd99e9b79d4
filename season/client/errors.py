"""The client's errors as one exception of ours, and the codes to which the programs react."""

import contextlib
import enum
from collections.abc import Iterator

from confluent_kafka import KafkaError, KafkaException


class Code(enum.IntEnum):
    """Codes of errors: first the broker's, then those of the client's own."""

    CLUSTER_AUTHORIZATION_FAILED = KafkaError.CLUSTER_AUTHORIZATION_FAILED
    COORDINATOR_LOAD_IN_PROGRESS = KafkaError.COORDINATOR_LOAD_IN_PROGRESS
    COORDINATOR_NOT_AVAILABLE = KafkaError.COORDINATOR_NOT_AVAILABLE
    FENCED_INSTANCE_ID = KafkaError.FENCED_INSTANCE_ID
    GROUP_AUTHORIZATION_FAILED = KafkaError.GROUP_AUTHORIZATION_FAILED
    GROUP_ID_NOT_FOUND = KafkaError.GROUP_ID_NOT_FOUND
    ILLEGAL_GENERATION = KafkaError.ILLEGAL_GENERATION
    INCONSISTENT_GROUP_PROTOCOL = KafkaError.INCONSISTENT_GROUP_PROTOCOL
    INVALID_GROUP_ID = KafkaError.INVALID_GROUP_ID
    INVALID_PRODUCER_EPOCH = KafkaError.INVALID_PRODUCER_EPOCH
    INVALID_RECORD = KafkaError.INVALID_RECORD
    INVALID_SESSION_TIMEOUT = KafkaError.INVALID_SESSION_TIMEOUT
    INVALID_TIMESTAMP = KafkaError.INVALID_TIMESTAMP
    INVALID_TRANSACTION_TIMEOUT = KafkaError.INVALID_TRANSACTION_TIMEOUT
    INVALID_TXN_STATE = KafkaError.INVALID_TXN_STATE
    LEADER_NOT_AVAILABLE = KafkaError.LEADER_NOT_AVAILABLE
    MSG_SIZE_TOO_LARGE = KafkaError.MSG_SIZE_TOO_LARGE
    NETWORK_EXCEPTION = KafkaError.NETWORK_EXCEPTION
    NOT_CONTROLLER = KafkaError.NOT_CONTROLLER
    NOT_COORDINATOR = KafkaError.NOT_COORDINATOR
    NOT_ENOUGH_REPLICAS = KafkaError.NOT_ENOUGH_REPLICAS
    OFFSET_OUT_OF_RANGE = KafkaError.OFFSET_OUT_OF_RANGE
    PRODUCER_FENCED = KafkaError.PRODUCER_FENCED
    REQUEST_TIMED_OUT = KafkaError.REQUEST_TIMED_OUT
    SASL_AUTHENTICATION_FAILED = KafkaError.SASL_AUTHENTICATION_FAILED
    TOPIC_ALREADY_EXISTS = KafkaError.TOPIC_ALREADY_EXISTS
    TOPIC_AUTHORIZATION_FAILED = KafkaError.TOPIC_AUTHORIZATION_FAILED
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    UNKNOWN_TOPIC_OR_PART = KafkaError.UNKNOWN_TOPIC_OR_PART
    UNRELEASED_INSTANCE_ID = KafkaError.UNRELEASED_INSTANCE_ID
    UNSUPPORTED_COMPRESSION_TYPE = KafkaError.UNSUPPORTED_COMPRESSION_TYPE
    UNSUPPORTED_VERSION = KafkaError.UNSUPPORTED_VERSION
    ALL_BROKERS_DOWN = KafkaError._ALL_BROKERS_DOWN
    AUTHENTICATION = KafkaError._AUTHENTICATION
    AUTO_OFFSET_RESET = KafkaError._AUTO_OFFSET_RESET
    BAD_COMPRESSION = KafkaError._BAD_COMPRESSION
    FATAL = KafkaError._FATAL
    FENCED = KafkaError._FENCED
    MSG_TIMED_OUT = KafkaError._MSG_TIMED_OUT
    NOT_IMPLEMENTED = KafkaError._NOT_IMPLEMENTED
    PARTITION_EOF = KafkaError._PARTITION_EOF
    PURGE_INFLIGHT = KafkaError._PURGE_INFLIGHT
    PURGE_QUEUE = KafkaError._PURGE_QUEUE
    STATE = KafkaError._STATE
    TIMED_OUT = KafkaError._TIMED_OUT
    TIMED_OUT_QUEUE = KafkaError._TIMED_OUT_QUEUE
    TRANSPORT = KafkaError._TRANSPORT


class ClientError(Exception):
    """What the client or the broker says is wrong.

    `name` is the code's (`_TIMED_OUT`; an underscore marks the client's own), `sentence` what was said, `meaning`
    what the code means in general. `fatal`: the client is of no use any more; `retriable`: the same call may
    succeed; `requires_abort`: the transaction can only be aborted.
    """

    def __init__(
        self,
        code: int,
        sentence: str = "",
        *,
        retriable: bool = False,
        fatal: bool = False,
        requires_abort: bool = False,
    ) -> None:
        known = KafkaError(code)
        self.code, self.name, self.meaning = code, known.name(), known.str()
        self.sentence = sentence or self.meaning
        self.retriable, self.fatal, self.requires_abort = retriable, fatal, requires_abort
        super().__init__(self.sentence)


def client_error(error: KafkaError) -> ClientError:
    """Return an error of the client's as ours."""
    return ClientError(
        error.code(),
        error.str(),
        retriable=error.retriable(),
        fatal=error.fatal(),
        requires_abort=error.txn_requires_abort(),
    )


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise the client's exceptions inside the context as ClientError."""
    try:
        yield
    except KafkaException as exception:
        raise client_error(exception.args[0]) from None
