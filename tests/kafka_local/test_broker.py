"""The broker: it keeps its data over a kill, leaves nothing behind, is quiet, and many run side by side."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from kafka_local import Broker, BrokerError
from kafka_local.broker import free_port


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that these tests may kill."""
    with Broker(tmp_path_factory.mktemp("broker") / "with a space") as running:
        yield running


def publish(broker: Broker, topic: str, value: str) -> None:
    """Deliver one message to all that must have it."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "acks": "all"})
    producer.produce(topic, value)
    assert producer.flush(60) == 0


def read(broker: Broker, topic: str, count: int) -> list[bytes | None]:
    """The first messages of a topic."""
    consumer = Consumer(
        {"bootstrap.servers": broker.bootstrap_servers, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    messages = [consumer.poll(60) for _ in range(count)]
    consumer.close()
    return [message.value() if message is not None else None for message in messages]


def test_data_survives_kill_and_restart_on_the_same_port(own: Broker) -> None:
    """What was acknowledged is there after kill -9 and a restart, under the same address."""
    address = own.bootstrap_servers
    publish(own, "kept", "one")
    own.kill()
    own.restart()
    publish(own, "kept", "two")
    own.restart()
    assert own.bootstrap_servers == address
    assert read(own, "kept", 2) == [b"one", b"two"]


def test_a_second_node_takes_over() -> None:
    """Beside another one it is of the same cluster; what both keep is there when it is killed."""
    twice = {"default.replication.factor": "2", "offsets.topic.replication.factor": "2"}
    with Broker(settings=twice) as first, Broker(settings=twice, joins=first) as second:
        publish(second, "shared", "one")
        second.kill()
        assert read(first, "shared", 1) == [b"one"]


def test_it_says_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    """Java's and Kafka's notices go to the log file; a temporary folder goes at the end."""
    with Broker() as quiet:
        folder = quiet.folder
        assert quiet.log.exists()
        log = quiet.log.read_text("utf-8")
    assert capfd.readouterr() == ("", "")
    assert "SLF4J" not in log
    assert "Unsafe" not in log
    assert not folder.exists()


def test_a_taken_port_is_told(own: Broker, tmp_path: Path) -> None:
    """A port that the caller chose is not replaced: the sentence holds the reason and the log's place."""
    taken = Broker(tmp_path, port=own.port)
    with pytest.raises(BrokerError, match=rf"the broker ended at its start: .*{tmp_path / 'broker.log'}"):
        taken.start()


def test_nothing_is_left_when_its_user_is_killed(tmp_path: Path) -> None:
    """Not even kill -9 of the program that started a broker leaves it running."""
    program = (
        "import sys, time; from pathlib import Path; from kafka_local import Broker\n"
        "broker = Broker(Path(sys.argv[1])); broker.start(); print(broker.pid, broker.port, flush=True)\n"
        "time.sleep(600)"
    )
    user = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    pid, port = map(int, user.stdout.readline().split())
    user.kill()
    user.wait()
    user.stdout.close()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_it_runs_by_hand_until_sigterm(tmp_path: Path) -> None:
    """`python -m kafka_local` says where it listens and ends with status 0."""
    port = free_port()
    command = [sys.executable, "-m", "kafka_local", "--port", str(port), "--folder", str(tmp_path)]
    by_hand = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert by_hand.stdout is not None
    assert f"listens on 127.0.0.1:{port}" in by_hand.stdout.readline()
    os.kill(by_hand.pid, signal.SIGTERM)
    assert by_hand.wait(60) == 0
    by_hand.stdout.close()
