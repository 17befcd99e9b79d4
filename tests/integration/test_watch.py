"""`python -m consumer watch` on a real Apache Kafka: what is committed is shown, and nothing is left behind."""

import csv
import io
import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic  # type: ignore[attr-defined]

from consumer.watch import stream
from kafka_local import Broker
from season.client.admin import Admin
from season.messages import Prediction
from season.topics import find
from tests.integration.world import wait

ROOT = Path(__file__).parents[2]
STARTED: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """Ends what a failed test has left."""
    yield
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.communicate()


@pytest.fixture
def topic(broker: Broker) -> str:
    """A topic of two partitions that no other test has."""
    name = f"predictions-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    admin.create_topics([NewTopic(name, 2)])[name].result()
    while find(Admin(admin), name) is None:
        time.sleep(0.05)
    return name


def prediction(zone: str, **changed: Any) -> bytes:
    """A prediction's message."""
    fields: dict[str, Any] = {
        "zone": zone,
        "window_start": "2021-05-31T22:00:00Z",
        "window_end": "2021-06-01T22:00:00Z",
        "label": "summer",
        "winter_probability": 0.0312,
        "logit": -3.435,
        "calendar_label": "summer",
        "filled_hours": 0,
        "revision": 0,
        "model": "italy-load",
        "model_version": "3f9c0a1b2c4d",
        "steps": [float(step) for step in range(24)],
    }
    return msgspec.json.encode(Prediction(**{**fields, **changed}))


def send(broker: Broker, topic: str, values: Sequence[bytes | None], commit: bool = True) -> None:
    """Writes messages in one transaction, which is committed or aborted."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": uuid.uuid4().hex})
    producer.init_transactions()
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value)
    producer.flush()
    (producer.commit_transaction if commit else producer.abort_transaction)()


def watch(broker: Broker, topic: str, *arguments: str, **environ: str) -> subprocess.Popen[bytes]:
    """Starts a watcher as a user does, in a pipe."""
    process = subprocess.Popen(
        [sys.executable, "-m", "consumer", "watch", *arguments],
        cwd=ROOT,
        env={
            **os.environ, "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers, "PREDICTIONS_TOPIC": topic, **environ,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    STARTED.append(process)
    return process


def lines(process: subprocess.Popen[bytes], count: int) -> list[str]:
    """Its next lines, as they come."""
    assert process.stdout is not None
    return [process.stdout.readline().decode().rstrip("\n") for _ in range(count)]


def begun(process: subprocess.Popen[bytes], publish: Callable[[], None]) -> str:
    """Its first line, with a message published again and again: when it begins to read is not seen from outside."""
    assert process.stdout is not None
    deadline = time.monotonic() + 60
    while not select.select([process.stdout], [], [], 0.5)[0]:
        assert time.monotonic() < deadline
        publish()
    return lines(process, 1)[0]


def ended(process: subprocess.Popen[bytes]) -> tuple[list[str], str]:
    """What it wrote until it ended by itself, well: its lines, and its standard error."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.decode().splitlines(), err.decode()


def end(process: subprocess.Popen[bytes], name: int = signal.SIGINT) -> tuple[int, str, str]:
    """Stops it; its exit status, what it still wrote, and its standard error."""
    process.send_signal(name)
    out, err = process.communicate(timeout=60)
    assert b"Traceback" not in err
    return process.returncode, out.decode(), err.decode()


def test_what_is_committed_is_shown_and_summed_up(broker: Broker, topic: str) -> None:
    """From the beginning: one plain line a window at once, aborted ones never; a summary on Ctrl-C."""
    send(broker, topic, [prediction("ABORTED")], commit=False)
    send(broker, topic, [prediction("IT"), prediction("FR", label="winter", revision=1)])
    process = watch(broker, topic, "--from-beginning")
    shown = sorted(lines(process, 2))
    assert shown[0].startswith("FR       2021-06-01  ▁")
    assert shown[0].endswith("winter 0.0312  winter ◀ in summer  revision 1")
    assert shown[1].endswith("winter 0.0312  summer")
    status, out, err = end(process)
    assert (status, out) == (0, "")
    assert err.startswith("1 window and 1 revision of 2 zones: 1 surprise, 50.0 % agree with the calendar\n")


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_it_begins_with_what_comes_from_now_on(broker: Broker, topic: str, name: int) -> None:
    """Without --from-beginning what is there is not shown; either signal ends it with status 0."""
    send(broker, topic, [prediction("OLD")])
    process = watch(broker, topic)
    assert begun(process, lambda: send(broker, topic, [prediction("NEW")])).startswith("NEW ")
    status, out, err = end(process, name)
    assert status == 0
    assert "OLD" not in out
    assert "of 1 zone" in err


def test_json_is_the_messages_themselves(broker: Broker, topic: str) -> None:
    """Byte for byte, one a line, filtered by zone and surprise."""
    wanted = [prediction("IT", label="winter", winter_probability=0.1 + 0.2), prediction("Süd", label="winter")]
    others = [prediction("FR", label="winter"), prediction("IT")]
    send(broker, topic, [*others, *wanted])
    process = watch(broker, topic, "--from-beginning", "--json", "--surprises", "--zone=IT", "--zone=Süd")
    assert sorted(lines(process, 2)) == sorted(value.decode() for value in wanted)
    assert end(process)[:2] == (0, "")


def test_until_now_shows_all_that_is_there_and_ends(broker: Broker, topic: str) -> None:
    """By itself, from the beginning, with its summary; markers at the end and aborted messages hold nothing up."""
    send(broker, topic, [prediction("IT")] * 100)
    send(broker, topic, [prediction("ABORTED")] * 10, commit=False)
    shown, err = ended(watch(broker, topic, "--until-now"))
    assert [line.split()[0] for line in shown] == ["IT"] * 100
    assert err.startswith("100 windows of 1 zone: ")
    assert ended(watch(broker, topic, "--until-now", "--from-beginning"))[0] == shown


def test_until_now_of_nothing_ends_at_once(broker: Broker, topic: str) -> None:
    """An empty topic, and one that holds aborted messages alone."""
    for _ in range(2):
        assert ended(watch(broker, topic, "--until-now")) == ([], "no predictions\n")
        send(broker, topic, [prediction("ABORTED")] * 10, commit=False)


def test_until_now_does_not_wait_for_an_open_transaction(broker: Broker, topic: str) -> None:
    """It ends before what stands behind it, too, since nobody may see that yet."""
    send(broker, topic, [prediction("IT")])
    patient = {"transactional.id": uuid.uuid4().hex, "transaction.timeout.ms": 600_000}
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, **patient})
    producer.init_transactions()
    producer.begin_transaction()
    for partition in range(2):
        producer.produce(topic, prediction("OPEN"), partition=partition)
    producer.flush()
    send(broker, topic, [prediction("BEHIND")] * 10)
    shown, _ = ended(watch(broker, topic, "--until-now"))
    producer.commit_transaction()
    assert [line.split()[0] for line in shown] == ["IT"]


def test_until_now_ends_while_more_is_written(broker: Broker, topic: str) -> None:
    """A topic that never stands still is shown up to where it ended at the start."""
    send(broker, topic, [prediction("FIRST")] * 10)
    over = threading.Event()

    def publish() -> None:
        while not over.is_set():
            send(broker, topic, [prediction("MORE")] * 100)

    with ThreadPoolExecutor(1) as pool:
        publishing = pool.submit(publish)
        try:
            shown, _ = ended(watch(broker, topic, "--until-now"))
        finally:
            over.set()
        publishing.result()
    assert [line.split()[0] for line in shown].count("FIRST") == 10


def test_csv_is_a_header_and_a_row_a_prediction(broker: Broker, topic: str) -> None:
    """As a notebook reads it; what has no 24 steps is told on standard error."""
    zones = ["IT", 'a "b", c', "Süd", "=1+1"]
    send(broker, topic, [prediction(zone, logit=0.1 + 0.2) for zone in zones] + [prediction("X", steps=[1.0])])
    out, err = watch(broker, topic, "--until-now", "--csv").communicate(timeout=60)
    rows = list(csv.DictReader(io.StringIO(out.decode(), newline="")))
    assert sorted(row["zone"] for row in rows) == sorted(zones)
    assert {(float(row["logit"]), float(row["step_23"])) for row in rows} == {(0.1 + 0.2, 23.0)}
    assert b"it has 1 steps instead of 24" in err


def test_json_and_csv_exclude_each_other(broker: Broker, topic: str) -> None:
    """Status 2, and which of the two is too many."""
    process = watch(broker, topic, "--json", "--csv")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, b"")
    assert b"--csv: not allowed with argument --json" in err


def test_foreign_messages_are_told_on_standard_error(broker: Broker, topic: str) -> None:
    """What is no prediction is told by partition and offset, harmlessly, and the next one is shown."""
    foreign = [b"\x1b[31m", None, b"{}", b"[" * 5000, prediction("X", window_start="never"), b'{"zone": 5}']
    send(broker, topic, foreign)
    send(broker, topic, [prediction("\x1b[31mIT")])
    (shown,), err = ended(watch(broker, topic, "--until-now"))
    assert shown.startswith("\\x1b[31mIT  ")
    assert err.count(f"{topic} partition ") == len(foreign)
    assert "\x1b" not in err


def test_a_closed_pipe_ends_it_quietly(broker: Broker, topic: str) -> None:
    """As after `| head -1`: without waiting for a further prediction, without a word."""
    send(broker, topic, [prediction("IT")] * 5)
    process = watch(broker, topic, "--from-beginning")
    lines(process, 1)
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""


def test_it_waits_for_its_topic_and_shows_all_of_it(broker: Broker) -> None:
    """It says that it waits and creates nothing; what the topic then holds came after the watcher did."""
    name = f"predictions-{uuid.uuid4().hex[:8]}"
    process = watch(broker, name)
    assert process.stderr is not None
    assert process.stderr.readline().decode().startswith(f"waiting for the topic '{name}'")
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    time.sleep(1)
    assert find(Admin(admin), name) is None
    admin.create_topics([NewTopic(name, 1)])[name].result()
    send(broker, name, [prediction("IT")])
    assert lines(process, 1)[0].startswith("IT ")
    assert end(process)[0] == 0


def test_it_leaves_no_group_behind(broker: Broker, topic: str) -> None:
    """A watcher takes no partition from anybody and stores no offset."""
    process = watch(broker, topic, "--from-beginning")
    send(broker, topic, [prediction("IT")])
    lines(process, 1)
    end(process)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    groups = admin.list_consumer_groups(request_timeout=10).result().valid
    assert "season-watch" not in {group.group_id for group in groups}


def test_partitions_that_are_added_are_read_too(broker: Broker, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic that grows while it is watched is shown whole."""
    monkeypatch.setattr(stream, "_PARTITION_CHECK_INTERVAL_S", 0.1)
    environ = {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers}
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    described = find(Admin(admin), topic)
    assert described is not None
    deadline = time.monotonic() + 120
    made = stream.Stream(
        stream.properties(environ), described, False, lambda _: None, lambda: time.monotonic() > deadline
    )
    batches = made.batches()
    next(batches)
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result()
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "topic.metadata.refresh.interval.ms": 100})
    wait(lambda: len(producer.list_topics(topic, 5).topics[topic].partitions) == 3, 60, "no partition is added")
    producer.produce(topic, b"new", partition=2)
    producer.flush()
    values = next(batch[0].value() for batch in batches if batch)
    batches.close()  # type: ignore[attr-defined]
    assert values == b"new"


def test_what_a_person_must_set_right_is_a_sentence(broker: Broker) -> None:
    """Settings are checked before the broker is asked: status 2, the setting's name and value."""
    for environ, part in [
        ({"WINDOW_TIME_ZONE": "Rome"}, "WINDOW_TIME_ZONE='Rome'"),
        ({"READINGS_TOPIC": "same", "PREDICTIONS_TOPIC": "same"}, "PREDICTIONS_TOPIC='same'"),
        ({"KAFKA_ISOLATION_LEVEL": "read_uncommitted"}, "KAFKA_ISOLATION_LEVEL='read_uncommitted'"),
    ]:
        process = watch(broker, **{"topic": "unused", **environ})
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (2, b"")
        assert part in err.decode()
        assert err.count(b"\n") == 1
