"""Started wrong, the service says in a sentence what to set right, ends with status 2, and has taken no id."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kafka_local import Broker
from season.installed import version
from tests.integration.world import ROOT, TOPICS, ServiceProcess, World, wait
from tests.made_models import endless


def started(world: World, **settings: str) -> tuple[int, str]:
    """Exit status and standard error of a service that ends by itself."""
    environ = {"PATH": "/usr/bin:/bin", **world.environ, **settings}
    command = [sys.executable, "-m", "consumer"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"GRACE_PERIOD": "24"}, "GRACE_PERIOD"),
        ({"MODEL_PATH": "no/such.onnx"}, "MODEL_PATH"),
        ({"MODEL_PATH": "README.md"}, "MODEL_PATH"),
        ({"MODEL_THRESHOLD": "2"}, "MODEL_THRESHOLD"),
        ({"WINDOW_TIME_ZONE": "Mars/Olympus"}, "WINDOW_TIME_ZONE"),
        ({"WINDOW_DAY_START": "06:30"}, "WINDOW_DAY_START"),
        ({"KAFKA_NO_SUCH": "1"}, "KAFKA_NO_SUCH"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "http://localhost:9092"}, "KAFKA_BOOTSTRAP_SERVERS='http://localhost:9092': "),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "SCRAM"}, "KAFKA_SASL_MECHANISM='SCRAM'"),
        ({"KAFKA_GROUP_ID": "mine"}, "KAFKA_GROUP_ID"),
        ({"KAFKA_DELIVERY_TIMEOUT_MS": "60000"}, "KAFKA_DELIVERY_TIMEOUT_MS"),
        ({"PREDICTIONS_TOPIC": "same", "DEAD_LETTER_TOPIC": "same"}, "PREDICTIONS_TOPIC"),
        ({"CREATE_TOPICS": "false"}, "CREATE_TOPICS"),
        ({"HTTP_HOST": "203.0.113.1"}, "HTTP_HOST"),
        ({"CONSUMER_GROUP": "a b", "CHANGELOG_TOPIC": ""}, "CONSUMER_GROUP"),
    ],
)
def test_a_wrong_setting_ends_it_with_a_sentence(broker: Broker, settings: dict[str, str], says: str) -> None:
    """The setting is named, the status is 2, and there is no traceback."""
    status, error = started(World(broker.bootstrap_servers), **settings)
    assert status == 2, error
    assert says in error
    assert "Traceback" not in error


def test_a_model_that_would_stop_the_service_ends_it(broker: Broker, tmp_path: Path) -> None:
    """Before it asks anything of the broker: no topic is made."""
    world = World(broker.bootstrap_servers)
    path = tmp_path / "model.onnx"
    path.write_bytes(endless().SerializeToString())
    status, error = started(world, MODEL_PATH=str(path))
    assert status == 2
    assert error.splitlines()[-1] == (
        f"MODEL_PATH={path}: tried in a process of its own: a batch of 1 (ramps) comes to no end: "
        "a run took more than 2 s of processor time"
    )
    assert world.environ["PREDICTIONS_TOPIC"] not in world.admin.list_topics(timeout=10).topics


def test_a_port_that_is_taken_ends_it(broker: Broker) -> None:
    """The port is tried before anything is asked of the broker."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, error = started(World(broker.bootstrap_servers), HTTP_PORT=port)
    assert status == 2
    assert "HTTP_PORT" in error
    assert port in error


def test_a_broker_that_cannot_be_reached_is_waited_for(tmp_path: Path, broker: Broker) -> None:
    """It says so, is healthy, not ready, and ends well on SIGTERM."""
    world = World(broker.bootstrap_servers)
    environ = {**world.environ, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    with ServiceProcess(environ, tmp_path / "log") as service:
        wait(lambda: "waiting for the broker" in service.log.read_text(), 60, "it does not say that it waits")
        assert service.get("/healthz")[0] == 200
        assert service.get("/readyz")[0] == 503
        assert service.stop() == 0


def test_the_start_says_in_one_line_what_it_runs_with(tmp_path: Path, broker: Broker) -> None:
    """The first line, as settings were typed; then a warning of what is nearly one. It goes on all the same."""
    world = World(broker.bootstrap_servers)
    with world.service(tmp_path, GRACE_PERIOD="48h", GRACEPERIOD="1h", KAFKA_SASL_PASSWORD="hunter2") as service:
        service.ready()
        starting, warning = [line for line in service.events() if line["event"] != "listening for HTTP"][:2]
        assert (starting["event"], starting["group"]) == ("starting", world.environ["CONSUMER_GROUP"])
        assert starting["topics"].split(", ") == [world.topic(name) for name in TOPICS]
        assert (starting["time_zone"], starting["grace"], starting["GRACE_PERIOD"]) == ("Europe/Rome", "48h", "48h")
        assert warning["event"] == "GRACEPERIOD is no setting and does nothing; GRACE_PERIOD may be meant"
        assert "hunter2" not in service.log.read_text()
        assert service.stop() == 0


@pytest.mark.parametrize(
    ("command", "name", "settings"),
    [
        (["consumer"], "season-consumer", ["GRACE_PERIOD (24h)", "KAFKA_BOOTSTRAP_SERVERS (localhost:9092)"]),
        (["consumer", "watch"], "season-consumer watch", ["PREDICTIONS_TOPIC (predictions)", "WINDOW_TIME_ZONE"]),
        (["consumer", "check"], "season-consumer check", ["MODEL_PATH (models/", "GRACE_PERIOD (24h)"]),
        (["producer"], "season-producer", ["READINGS_TOPIC (readings)", "TOPIC_PARTITIONS (4)"]),
    ],
)
def test_help_and_version_say_what_it_is(command: list[str], name: str, settings: list[str]) -> None:
    """--help prints how it is used, and its settings with their defaults; --version its name and version."""
    answers = [
        subprocess.run(
            [sys.executable, "-m", *command, option],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for option in ("--help", "--version")
    ]
    assert f"usage: python -m {' '.join(command)}" in answers[0]
    assert all(setting in answers[0] for setting in settings)
    assert answers[1] == f"{name} {version()}\n"
