"""Least privilege on a real broker with Kafka's own authorizer: what is enough, and what a missing right does."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from season import instants
from season.calendar import HOUR
from season.messages import encode_reading
from season.required import of_producer, of_watch
from season.rights import CREATE, GROUP, READ, TOPIC, Right
from tests.integration.secured import Secured, SecuredWorld
from tests.integration.world import ROOT, ended, wait

_START = instants.parse("2021-01-01T00:00:00Z")
_SEVEN = range(7)
_GOES_ON_S = 60.0  # far more than a program needs that ends by itself


@pytest.fixture
def world(secured: Secured) -> SecuredWorld:
    """A user without any right, and the four topics."""
    made = SecuredWorld(secured)
    made.create_topics()
    return made


def denied(world: SecuredWorld, *command: str, text: str | None = None) -> str:
    """Return what a program says that ends since the broker denies it something."""
    done = ended(world.environ, *command, text=text, seconds=_GOES_ON_S)
    assert done.returncode == 1, done.stderr
    return done.stderr


def says(error: str, lacking: Sequence[Right], others: Sequence[Right] = ()) -> None:
    """Hold a sentence to the rights that it names, and to those that it does not."""
    sentence = error.strip().splitlines()[-1]
    assert "Traceback" not in error
    for right in lacking:
        assert f"{right.operation} on the {right.resource} {right.name!r}" in sentence, error
        assert right.setting in sentence
    for right in others:
        assert f"the {right.resource} {right.name!r}" not in sentence, error


def day(zone: str, demand: float = 20_000.0) -> list[dict[str, Any]]:
    """Return the hours of a day and one more, so that the first day is complete."""
    hours = [(_START - HOUR + hour * HOUR, demand + hour) for hour in range(25)]
    return [{"key": zone.encode(), "value": encode_reading(zone, at, value)} for at, value in hours]


@pytest.mark.parametrize("taken", _SEVEN)
def test_each_right_that_is_missing_at_the_start_ends_the_service(
    secured: Secured, world: SecuredWorld, taken: int
) -> None:
    """Six of the seven are there: status 1, and the sentence names the seventh, its setting and the account."""
    lacking = world.rights[taken]
    rest = [right for right in world.rights if right != lacking]
    secured.grant(world.user, rest)
    error = denied(world, "consumer")
    says(error, [lacking], [right for right in rest if right.name != lacking.name])
    assert f"KAFKA_SASL_USERNAME={world.user!r}" in error


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_group_that_may_only_be_described_ends_it(secured: Secured, world: SecuredWorld, protocol: str) -> None:
    """Whether the group is refused at once or only to those who join, under both protocols."""
    (group,) = [right for right in world.rights if right.resource == GROUP]
    world.environ |= {"KAFKA_GROUP_PROTOCOL": protocol}
    if protocol == "consumer":
        del world.environ["KAFKA_SESSION_TIMEOUT_MS"]
    secured.grant(
        world.user, [*(right for right in world.rights if right != group), replace(group, operation="DESCRIBE")]
    )
    error = denied(world, "consumer")
    says(error, [group])


def test_all_that_is_missing_is_named_at_once(world: SecuredWorld) -> None:
    """Without any right the sentence names each topic, so that nobody has to start the service seven times."""
    error = denied(world, "consumer")
    topics = [right for right in world.rights if right.resource == TOPIC]
    says(error, [right for right in topics if right.setting != "CHANGELOG_TOPIC"])
    assert f"READ and WRITE on the topic {world.topics.changelog!r}" in error


def test_a_topic_that_may_not_be_created_ends_it(secured: Secured) -> None:
    """All seven rights are there, three topics are not, and creating them is not allowed."""
    world = SecuredWorld(secured)
    secured.grant(world.user, world.rights)
    error = denied(world, "consumer")
    says(error, [Right(CREATE, TOPIC, world.topics.changelog, "CHANGELOG_TOPIC")])
    assert "does not exist yet" in error


def test_the_seven_rights_are_enough(secured: Secured, world: SecuredWorld, tmp_path: Path) -> None:
    """Producer, service and watch, each a user with what it needs and no more: from a file to a shown prediction."""
    secured.grant(world.user, world.rights)
    publisher, subscriber = f"{world.name}-producer", f"{world.name}-watch"
    producing, watching = secured.user(publisher), secured.user(subscriber)
    secured.grant(publisher, of_producer(world.topics, resume=False))
    secured.grant(subscriber, of_watch(world.topics))
    with world.service(tmp_path) as service:
        service.ready()
        rows = [f"IT,{instants.format(_START - HOUR + hour * HOUR)},{20000 + hour}" for hour in range(25)]
        file = "\n".join(["zone,timestamp,demand_mw", *rows])
        published = ended(world.environ | producing, "producer", "-", text=file)
        assert published.returncode == 0, published.stderr
        world.publish([{"key": b"IT", "value": b"no reading"}])
        world.wait_until_read()
        assert service.stop() == 0
    assert [letter.headers[0][1] for letter in world.flat("DEAD_LETTER_TOPIC")] == [b"malformed"]
    shown = first_line(world, watching)
    assert '"zone":"IT"' in shown.replace(" ", "")


def first_line(world: SecuredWorld, account: Mapping[str, str]) -> str:
    """Return the first prediction that `watch` shows."""
    environ = {"PATH": "/usr/bin:/bin", **world.environ, **account}
    command = [sys.executable, "-m", "consumer", "watch", "--from-beginning", "--json"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
    return line


# READ on the changelog is missed by a restore alone: a running instance has read its own.
@pytest.mark.parametrize("taken", [index for index in _SEVEN if index != 3])
def test_each_right_that_is_taken_away_ends_the_running_service(
    secured: Secured, world: SecuredWorld, tmp_path: Path, taken: int
) -> None:
    """At the first call that needs it: status 1, and the sentence names what is missing now."""
    secured.grant(world.user, world.rights)
    with world.service(tmp_path) as service:
        service.ready()
        world.publish([*day("IT"), *day("DE"), {"key": b"IT", "value": b"no reading"}])
        world.wait_until_read()
        secured.revoke(world.user, world.rights[taken])
        world.publish([*day("FR"), *day("ES"), {"key": b"IT", "value": b"no reading"}])
        wait(lambda: service.process.poll() is not None, _GOES_ON_S, "the service goes on without its right")
        assert service.process.returncode == 1
    says(service.log.read_text(), [world.rights[taken]])


def test_a_restore_that_may_not_read_its_changelog_ends(
    secured: Secured, world: SecuredWorld, tmp_path: Path
) -> None:
    """A member that was thrown out and let in again does not wait for ever for what it may not read."""
    secured.grant(world.user, world.rights)
    with world.service(tmp_path) as service:
        service.ready()
        world.publish(day("IT"))
        world.wait_until_read()
        (read,) = [right for right in world.rights if right.setting == "CHANGELOG_TOPIC" and right.operation == READ]
        secured.revoke(world.user, read)
        service.process.send_signal(signal.SIGSTOP)
        wait(lambda: not members(world), _GOES_ON_S, "the group keeps a member that stands still")
        service.process.send_signal(signal.SIGCONT)
        wait(lambda: service.process.poll() is not None, _GOES_ON_S, "the service goes on without its right")
        assert service.process.returncode == 1
    says(service.log.read_text(), [read])


def members(world: SecuredWorld) -> int:
    """Return how many members the group has."""
    group = world.environ["CONSUMER_GROUP"]
    return len(world.admin.describe_consumer_groups([group], request_timeout=10.0)[group].result().members)


def test_a_producer_without_its_rights_ends(secured: Secured, world: SecuredWorld) -> None:
    """WRITE for what it publishes; READ as well, where it is to resume."""
    write, read = of_producer(world.topics, resume=True)
    row = "zone,timestamp,demand_mw\nIT,2021-01-01T00:00:00Z,20000\n"
    error = denied(world, "producer", "-", text=row)
    says(error, [write])
    assert " READ " not in error
    secured.grant(world.user, [replace(write, operation="DESCRIBE")])
    error = denied(world, "producer", "-", text=row)
    says(error, [write])
    secured.grant(world.user, [write])
    error = denied(world, "producer", "-", "--resume", text=row)
    says(error, [read])
    assert f"KAFKA_SASL_USERNAME={world.user!r}" in error


@contextmanager
def running(world: SecuredWorld, log: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program whose standard error goes to `log`; kill it where it does not end by itself."""
    environ = {"PATH": "/usr/bin:/bin", **world.environ}
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=stderr
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_producer_whose_right_is_taken_away_ends(secured: Secured, world: SecuredWorld, tmp_path: Path) -> None:
    """In the middle of a replay: the broker refuses a message, and the sentence says what is missing now."""
    (write,) = of_producer(world.topics, resume=False)
    secured.grant(world.user, [write])
    options = ("--zone", "IT", "--demand-column", "load_mw", "--speed", "20")
    log = tmp_path / "log"
    with running(world, log, "producer", "data/italy_load_2015_2021.csv", *options) as process:
        wait(lambda: world.behind() > 0, _GOES_ON_S, "nothing is published")
        secured.revoke(world.user, write)
        assert process.wait(_GOES_ON_S) == 1
    says(log.read_text(), [write])


def test_watch_without_its_right_ends(secured: Secured, world: SecuredWorld, tmp_path: Path) -> None:
    """At the start, and when it is taken away while messages are awaited."""
    (read,) = of_watch(world.topics)
    error = denied(world, "consumer", "watch")
    says(error, [read])
    secured.grant(world.user, [read])
    log = tmp_path / "log"
    with running(world, log, "consumer", "watch", "--from-beginning", "--json") as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)  # it reads
        secured.revoke(world.user, read)
        assert process.wait(_GOES_ON_S) == 1
    says(log.read_text(), [read])
