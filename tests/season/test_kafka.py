"""KAFKA_* settings, what of them is refused and in which words, waiting for a broker, murmur2."""

import logging
import re
import time
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient

from kafka_local import Broker
from kafka_local.broker import free_port
from season.cli import StoppedError
from season.client.consumer import consumer_client
from season.client.errors import ClientError, Code
from season.client.producer import producer_client
from season.kafka import (
    DeniedError,
    client_properties,
    connect,
    groupless,
    merged_properties,
    murmur2,
    murmur2_partition,
    presentable,
    refuse,
    refuse_reader,
)
from season.settings import RefusedError, SettingError


def test_without_a_setting_it_is_the_local_broker() -> None:
    """The default goes with `docker compose up`."""
    assert client_properties({}) == {"bootstrap.servers": "localhost:9092"}


def test_each_setting_becomes_a_property() -> None:
    """KAFKA_A_B is a.b; an empty one is not set."""
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": "one:9092, two:9093,[::1]:9094",
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": "me",
        "KAFKA_SASL_PASSWORD": "hunter2",
        "KAFKA_CLIENT_ID": "",
    }
    assert client_properties(environ) == {
        "bootstrap.servers": "one:9092, two:9093,[::1]:9094",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "me",
        "sasl.password": "hunter2",
    }


def test_the_brokers_by_their_other_name() -> None:
    """metadata.broker.list is an alias of bootstrap.servers, and is not overruled by its default."""
    assert client_properties({"KAFKA_METADATA_BROKER_LIST": "one:1"}) == {"bootstrap.servers": "one:1"}


@pytest.mark.parametrize(
    "name",
    [
        "KAFKA_SERVICE_HOST",
        "KAFKA_BOOTSTRAP_SERVICE_HOST",
        "KAFKA_SERVICE_PORT",
        "KAFKA_SERVICE_PORT_TCP_CLIENTS",
        "KAFKA_X_SERVICE_PORT_9092",
        "KAFKA_PORT",
        "KAFKA_PORT_9092_TCP_ADDR",
        "KAFKA_BOOTSTRAP_PORT_9092_TCP",
        "KAFKA_OPTS",
        "KAFKA_JVM_PERFORMANCE_OPTS",
        "KAFKA_JMX_PORT",
        "KAFKA_JMX_HOSTNAME",
        "KAFKA_HOME",
        "KAFKA_VERSION",
        "XKAFKA_FOO",
    ],
)
def test_what_kubernetes_and_images_set_is_ignored(name: str) -> None:
    """A service named kafka in the cluster, or Kafka's own image, does not stop the program."""
    assert client_properties({name: "tcp://10.0.0.1:9092"}) == {"bootstrap.servers": "localhost:9092"}


@pytest.mark.parametrize("name", ["KAFKA_FOO", "KAFKA_LOGGER", "KAFKA_DEFAULT_TOPIC_CONFIG"])
def test_an_unknown_property_stops_the_program(name: str) -> None:
    """The setting is named; its value is not, since it may be a secret under a misspelt name."""
    with pytest.raises(SettingError) as caught:
        client_properties({name: "hunter2", "KAFKA_CLIENT_ID": "me"})
    assert str(caught.value).startswith(f"{name}: the Kafka client has no property ")
    assert "hunter2" not in str(caught.value)


OURS = """
    group.id transactional.id transaction.timeout.ms isolation.level enable.auto.commit enable.auto.offset.store
    enable.idempotence enable.partition.eof acks partitioner auto.offset.reset allow.auto.create.topics
    partition.assignment.strategy request.required.acks auto.commit.enable topic.acks topic.partitioner
    topic.request.required.acks topic.auto.offset.reset topic.enable.auto.commit
"""


@pytest.mark.parametrize("name", [name.upper().replace(".", "_") for name in OURS.split()])
def test_what_the_promises_rest_on_cannot_be_set(name: str) -> None:
    """By none of the names under which the client takes it, topic-level ones behind `topic.` included."""
    with pytest.raises(SettingError, match=rf"^KAFKA_{name}='all': .* is set by the program"):
        client_properties({f"KAFKA_{name}": "all"})


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"KAFKA_SOCKET_TIMEOUT_MS": "0"}, "KAFKA_SOCKET_TIMEOUT_MS='0': .*outside allowed range 10..300000$"),
        ({"KAFKA_SECURITY_PROTOCOL": "foo"}, "KAFKA_SECURITY_PROTOCOL='foo': Invalid value \"foo\""),
        ({"KAFKA_OPAQUE": "x"}, "KAFKA_OPAQUE='x': "),
        ({"KAFKA_DELIVERY_REPORT_ONLY_ERROR": "x"}, "KAFKA_DELIVERY_REPORT_ONLY_ERROR='x': "),
        ({"KAFKA_CLIENT_ID": "\udcff"}, "KAFKA_CLIENT_ID: its bytes are not UTF-8"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_USERNAME": "me"},
            "KAFKA_SASL_PASSWORD is not set: sasl.username and sasl.password must be set$",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_KEY_LOCATION": "/no/such", "KAFKA_SSL_CA_LOCATION": "/no"},
            "KAFKA_SSL_CA_LOCATION='/no': .*",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_KEY_LOCATION": "/no/such"},
            "KAFKA_SSL_KEY_LOCATION='/no/such': .*",
        ),
    ],
)
def test_what_the_client_refuses_is_told_in_its_words(environ: dict[str, str], sentence: str) -> None:
    """The client's sentence stands behind the setting's name and value."""
    with pytest.raises(SettingError, match=f"^{sentence}"):
        client_properties(environ)


def test_a_password_under_a_javas_name_is_not_told() -> None:
    """Whoever comes from Java sets sasl.jaas.config, which holds the password: the client's advice, no value."""
    with pytest.raises(SettingError, match=r"^KAFKA_SASL_JAAS_CONFIG: Java JAAS configuration is not supported"):
        client_properties({"KAFKA_SASL_JAAS_CONFIG": "PlainLoginModule required password=hunter2;"})


@pytest.mark.parametrize(
    "servers",
    [
        "a b", "host:port", "host:99999", "host:0", ",", "host:9092,", "http//x:1:2", "http://host:9092",
        "one:9092,https://two:9092", "PLAINTEXT_HOST://host:9092", "user@host:9092", "PLAINTEXT://host:9092/path",
    ],
)  # fmt: skip
def test_servers_that_are_no_addresses_are_refused(servers: str) -> None:
    """The client would wait for them for ever."""
    with pytest.raises(SettingError, match=rf"^KAFKA_BOOTSTRAP_SERVERS={servers!r}: a list of host:port is allowed"):
        client_properties({"KAFKA_BOOTSTRAP_SERVERS": servers})


@pytest.mark.parametrize(
    "servers", ["PLAINTEXT://one:9092", "plaintext://one:9092,two", "one, PLAINTEXT://[::1]:9093"]
)
def test_the_protocol_in_force_may_stand_before_an_address(servers: str) -> None:
    """The client takes it, in any case of its letters, as brokers' own listeners are written."""
    assert client_properties({"KAFKA_BOOTSTRAP_SERVERS": servers})["bootstrap.servers"] == servers


def test_another_protocol_before_an_address_is_refused() -> None:
    """The client would leave that server out, and all behind it, and wait for ever; both settings are named."""
    environ = {"KAFKA_BOOTSTRAP_SERVERS": "one:9092,SSL://two:9093"}
    with pytest.raises(
        SettingError,
        match=r"^KAFKA_BOOTSTRAP_SERVERS='one:9092,SSL://two:9093': SSL:// needs KAFKA_SECURITY_PROTOCOL=SSL, but "
        "PLAINTEXT is its default",
    ):
        client_properties(environ)
    client_properties({**environ, "KAFKA_BOOTSTRAP_SERVERS": "ssl://two:9093", "KAFKA_SECURITY_PROTOCOL": "ssl"})
    with pytest.raises(SettingError, match=r"SSL:// needs .*=SSL, but SASL_SSL is set"):
        client_properties(environ | {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"})


def test_the_client_drops_an_address_of_another_protocol() -> None:
    """What the rule above rests on: the client's own line about it, and no connection tried."""
    lines: list[str] = []
    logger = logging.Logger("test")
    logger.addHandler(handler := logging.Handler())
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    for servers, says in (("SSL://127.0.0.1:1", "does not match"), ("http://127.0.0.1:1", "unsupported protocol")):
        admin = AdminClient({"bootstrap.servers": servers}, logger=logger)
        deadline = time.monotonic() + 30
        while not any(says in line for line in lines) and time.monotonic() < deadline:
            admin.poll(0.1)
        assert any(says in line for line in lines), lines


def test_secrets_are_not_shown() -> None:
    """What is shown of the settings has *** for a secret, also where another setting repeats it."""
    environ = {
        "KAFKA_SASL_PASSWORD": "hunter2",
        "KAFKA_SASL_USERNAME": "hunter2",
        "KAFKA_CLIENT_ID": "a",
        "HOME": "/",
    }
    assert presentable(environ) == {
        "KAFKA_SASL_PASSWORD": "***", "KAFKA_SASL_USERNAME": "***", "KAFKA_CLIENT_ID": "a",
    }  # fmt: skip


def test_the_client_s_lines_are_said_while_connecting_only_when_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    """KAFKA_DEBUG brings them, before any broker answers; without it there is the one line that we say."""
    until = time.monotonic() + 30
    quiet: list[str] = []
    with pytest.raises(StoppedError):
        connect({"bootstrap.servers": "127.0.0.1:1"}, quiet.append, lambda: bool(quiet))
    assert len(quiet) == 1
    lines: list[str] = []

    def enough() -> bool:
        return any("CONNECT [" in line for line in lines) or time.monotonic() > until

    with pytest.raises(StoppedError):
        connect({"bootstrap.servers": "127.0.0.1:1", "debug": "broker"}, lines.append, enough)
    assert any("CONNECT [" in line for line in lines), lines
    assert capfd.readouterr() == ("", "")


def test_a_secret_is_never_told() -> None:
    """Neither in the sentence about itself nor in one about another setting that repeats it."""
    environ = {"KAFKA_SECURITY_PROTOCOL": "ssl", "KAFKA_SSL_KEY_PEM": "hunter2", "KAFKA_SSL_KEYSTORE_LOCATION": "/x"}
    for name in ("KAFKA_SSL_KEYSTORE_LOCATION", "KAFKA_CLIENT_ID"):
        with pytest.raises(SettingError) as caught:
            client_properties({**environ, name: "/hunter2"})
        assert "hunter2" not in str(caught.value).replace(f"{name}='/hunter2'", "")


def test_refusals_beside_our_own_properties_name_the_users_setting() -> None:
    """A value that is fine alone but not beside ours is found before a broker is asked."""
    ours = {"transactional.id": "x", "transaction.timeout.ms": 10_000}
    with pytest.raises(
        SettingError, match=r"^KAFKA_DELIVERY_TIMEOUT_MS='20000': `message.timeout.ms` must be set <= `transaction"
    ):
        merged_properties(producer_client, {"KAFKA_DELIVERY_TIMEOUT_MS": "20000", "KAFKA_CLIENT_ID": "me"}, ours)
    assert (
        merged_properties(producer_client, {"KAFKA_DELIVERY_TIMEOUT_MS": "5000"}, ours)["delivery.timeout.ms"]
        == "5000"
    )


def test_the_environment_goes_over_what_we_only_tuned() -> None:
    """Ours are defaults but for the forbidden ones; the consumer class is asked as the producer is."""
    ours = {"group.id": "g", "session.timeout.ms": 45_000}
    assert (
        merged_properties(consumer_client, {"KAFKA_SESSION_TIMEOUT_MS": "6000"}, ours)["session.timeout.ms"] == "6000"
    )
    with pytest.raises(SettingError, match=r"^KAFKA_MAX_POLL_INTERVAL_MS='1000': `max.poll.interval.ms`must be"):
        merged_properties(consumer_client, {"KAFKA_MAX_POLL_INTERVAL_MS": "1000"}, ours)


def test_who_joins_no_group_goes_without_what_is_for_members() -> None:
    """Neither the environment's nor ours of these is left; all else is."""
    environ = {"KAFKA_GROUP_PROTOCOL": "classic", "KAFKA_GROUP_INSTANCE_ID": "me", "KAFKA_SESSION_TIMEOUT_MS": "6000"}
    ours = {"group.id": "none", "heartbeat.interval.ms": 500, "fetch.wait.max.ms": 10}
    assert groupless(merged_properties(consumer_client, {**environ, "KAFKA_CLIENT_ID": "me"}, ours)) == {
        "bootstrap.servers": "localhost:9092",
        "client.id": "me",
        "group.id": "none",
        "fetch.wait.max.ms": 10,
    }


def test_a_broker_that_is_not_there_is_waited_for_until_stopped(capfd: pytest.CaptureFixture[str]) -> None:
    """One line says so (not one for each try), a stop ends it soon, and the client's own lines stay away."""
    lines: list[str] = []
    began = time.monotonic()
    with pytest.raises(StoppedError):
        connect({"bootstrap.servers": "127.0.0.1:1"}, lines.append, stopped=lambda: time.monotonic() - began > 1.5)
    assert len(lines) == 1
    assert re.match(r"waiting for the broker at 127.0.0.1:1: .*Connection refused", lines[0])
    assert time.monotonic() - began < 9
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def guarded() -> Iterator[int]:
    """The port of a broker that lets in who knows its password."""
    port = free_port()
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required user_me='hunter2';"
    settings = {
        "listeners": f"SASL_PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": login,
    }
    with Broker(settings=settings):
        yield port


@pytest.mark.broker
def test_a_wrong_password_is_refused_at_once(guarded: int) -> None:
    """The right one is let in; a wrong one is not waited with: the sentence says so, and shows no password."""
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{guarded}",
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": "me",
        "KAFKA_SASL_PASSWORD": "hunter2",
    }
    lines: list[str] = []
    connect(client_properties(environ), lines.append)
    with pytest.raises(RefusedError, match=r"the broker refuses this program: .*uthentication failed") as caught:
        connect(client_properties(environ | {"KAFKA_SASL_PASSWORD": "swordfish"}), lines.append)
    assert "swordfish" not in str(caught.value)
    assert lines == []


def test_a_refusal_of_credentials_is_told_from_an_absence() -> None:
    """Authentication and authorization errors stop; a broker that is away does not."""
    refuse([ClientError(Code.TRANSPORT), ClientError(Code.ALL_BROKERS_DOWN)])
    with pytest.raises(RefusedError, match="the broker refuses this program"):
        refuse([ClientError(Code.TRANSPORT), ClientError(Code.AUTHENTICATION)])
    with pytest.raises(DeniedError, match="the broker denies this program a right"):
        refuse([ClientError(Code.TRANSPORT), ClientError(Code.TOPIC_AUTHORIZATION_FAILED)])


def test_a_reader_needs_no_right_on_the_group_that_it_names() -> None:
    """The client wants a group's name and asks for its coordinator, though no group is joined."""
    refuse_reader([ClientError(Code.GROUP_AUTHORIZATION_FAILED)])
    with pytest.raises(DeniedError):
        refuse_reader([ClientError(Code.TOPIC_AUTHORIZATION_FAILED)])


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_that_of_java(data: bytes, value: int) -> None:
    """The values of Kafka's own test (UtilsTest.testMurmur2)."""
    assert murmur2(data) == value % 2**32


def test_partitions_are_those_of_java() -> None:
    """The sign bit is dropped before the remainder is taken: foobar's hash is negative in Java."""
    assert murmur2_partition(b"foobar", 7) == (-790332482 & 0x7FFFFFFF) % 7
    assert {murmur2_partition(str(n).encode(), 4) for n in range(100)} == {0, 1, 2, 3}
