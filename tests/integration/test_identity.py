"""What brokers and KAFKA_DEBUG see of the programs: each client bears the name of its program and instance."""

import re
import subprocess
import sys
from pathlib import Path

from kafka_local import Broker
from tests.integration.world import ROOT, World, wait

_NAMED = re.compile(r"\[([^][#]*)#(consumer|producer)-(\d+)\]")


def named(log: str) -> dict[str, set[str]]:
    """The clients that say something in a log, by `client.id`."""
    clients: dict[str, set[str]] = {}
    for client_id, kind, number in _NAMED.findall(log):
        clients.setdefault(client_id, set()).add(f"{kind}-{number}")
    return clients


def test_every_client_of_the_service_bears_its_name(tmp_path: Path, broker: Broker) -> None:
    """Those of the administration, the group, the restore, the group's offsets and the transactions."""
    world = World(broker.bootstrap_servers)
    with world.service(tmp_path, INSTANCE_ID="one", KAFKA_DEBUG="broker,cgrp,eos") as service:
        service.ready()
        member = world.admin.describe_consumer_groups([world.environ["CONSUMER_GROUP"]])
        (described,) = member[world.environ["CONSUMER_GROUP"]].result().members
        assert described.client_id == "season-consumer-one"

        def all_there() -> bool:
            log = service.log.read_text()
            # What only the client that is asked for the group's offsets says, and only that of the transactions.
            rare = "OffsetFetchRequest" in log and "Transaction state change" in log
            return rare and len(named(log).get("season-consumer-one", ())) >= 5

        wait(all_there, 60, "not every client says something")
        assert set(named(service.log.read_text())) == {"season-consumer-one"}
        assert service.stop() == 0


def test_the_client_s_own_lines_come_while_the_service_connects(tmp_path: Path, broker: Broker) -> None:
    """With KAFKA_DEBUG, whatever LOG_LEVEL is; no broker is there to be reached."""
    environ = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "KAFKA_DEBUG": "broker", "INSTANCE_ID": "one"}
    with World(broker.bootstrap_servers).service(tmp_path, **environ, LOG_LEVEL="WARNING") as service:
        wait(lambda: "season-consumer-one" in named(service.log.read_text()), 60, "the client says nothing")
        assert service.stop() == 0


def test_the_producer_and_watch_bear_theirs(tmp_path: Path, broker: Broker) -> None:
    """Under INSTANCE_ID too; the client's lines come out on standard error."""
    world = World(broker.bootstrap_servers)
    environ = {"PATH": "/usr/bin:/bin", **world.environ, "INSTANCE_ID": "two", "KAFKA_DEBUG": "broker"}
    environ.pop("KAFKA_SESSION_TIMEOUT_MS")
    file = tmp_path / "day.csv"
    file.write_text("zone,timestamp,demand_mw\nIT,2021-06-01T00:00:00Z,1\n")
    command = [sys.executable, "-m", "producer", str(file), "--resume"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=True)
    assert set(named(done.stderr)) == {"season-producer-two"}
    assert len(named(done.stderr)["season-producer-two"]) == 3  # the administration's, that of --resume, the sender

    log = tmp_path / "watch.log"
    with log.open("wb") as stderr:
        command = [sys.executable, "-m", "consumer", "watch"]
        watch = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=stderr)
    try:
        wait(lambda: len(named(log.read_text()).get("season-watch-two", ())) == 1, 60, "watch says nothing")
        assert set(named(log.read_text())) == {"season-watch-two"}
    finally:
        watch.terminate()
        watch.wait(10)
