"""A new model file while readings flow: each window is scored once, by one model, and no file stops the service."""

import contextlib
import hashlib
import json
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from kafka_local import Broker
from season.calendar import HOUR
from tests.integration.oracle import Expected, Logged, compare
from tests.integration.test_promises import START
from tests.integration.test_service import expected_of, reading, shuffled_year
from tests.integration.world import MODEL, ServiceProcess, World, wait
from tests.made_models import METADATA, endless_at, endless_to_load
from tests.processes import children, gone, processor_seconds


def shifted(by: float, time_zone: str = "Europe/Rome") -> bytes:
    """The model with another bias, by which each of its logits differs, and another time zone."""
    model = onnx.load(MODEL)
    last = next(node for node in model.graph.node if node.output[0] == model.graph.output[0].name)
    bias = next(tensor for tensor in model.graph.initializer if tensor.name == last.input[2])
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + np.float32(by), bias.name))
    next(entry for entry in model.metadata_props if entry.key == "season.time_zone").value = time_zone
    return bytes(model.SerializeToString())


def version(model: bytes) -> str:
    """Its version, as predictions carry it."""
    return hashlib.sha256(model).hexdigest()[:12]


def put(path: Path, model: bytes) -> None:
    """Replaces the file in one step, as a deployment does."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(model)
    partial.replace(path)


def in_force(service: ServiceProcess) -> str:
    """The version of the model that the service says it runs."""
    return str(json.loads(service.get("/model")[1])["version"])


def taken_up(service: ServiceProcess, model: bytes) -> None:
    """Waits until it is in force."""
    wait(lambda: in_force(service) == version(model), 60, "it is not taken up")


def refused(service: ServiceProcess, times: int) -> None:
    """Waits until so many looks have ended in a refusal."""
    told = "the new model file is refused, the running model stays"
    wait(lambda: service.log.read_text().count(told) >= times, 60, "it is not refused")


def scored_more(service: ServiceProcess) -> None:
    """Waits until it has scored windows with the model that is in force now."""

    def scored() -> float:
        return sum(n for name, n in service.metrics().items() if name.startswith("season_predictions_total"))

    before = scored()
    wait(lambda: scored() > before, 60, "nothing is scored")


@contextmanager
def load(world: World, messages: Sequence[dict[str, Any]]) -> Iterator[None]:
    """Publishes some thousand readings a second, all of them by the end of the context."""

    def publish() -> None:
        for start in range(0, len(messages), 200):
            world.publish(messages[start : start + 200])
            time.sleep(0.05)

    thread = threading.Thread(target=publish, daemon=True, name="load")
    thread.start()
    yield
    thread.join()


@contextmanager
def running(
    world: World, folder: Path, model: bytes, interval: str = "50ms"
) -> Iterator[tuple[ServiceProcess, Path]]:
    """A service that is ready and runs this model, and the model's file; it has to stop in order at the end."""
    path = folder / "model.onnx"
    put(path, model)
    with world.service(folder, MODEL_PATH=str(path), MODEL_RELOAD_INTERVAL=interval) as service:
        service.ready()
        yield service, path
        assert service.stop() == 0


def named(prediction: Logged) -> str:
    """The version of the model that a prediction says it is of."""
    return str(json.loads(prediction.value or b"")["model_version"])


def check_rescored(world: World, models: Sequence[bytes]) -> set[str]:
    """Holds what was published to the reference, and each logit to the model it names; the versions named."""
    predictions = world.flat("PREDICTIONS_TOPIC")
    by_version = {version(model): model for model in models}
    compare(rescored(expected_of(world), predictions, by_version), predictions, world.flat("DEAD_LETTER_TOPIC"))
    return set(map(named, predictions))


def rescored(expected: Expected, predictions: Sequence[Logged], models: dict[str, bytes]) -> Expected:
    """What is expected, with the logits of the models that the predictions name."""
    sessions = {name: onnxruntime.InferenceSession(model) for name, model in models.items()}
    seen = [json.loads(message.value or b"") for message in predictions]
    named = {(row["zone"], row["window_start"], row["revision"]): row["model_version"] for row in seen}
    for row in (row for rows in expected.predictions.values() for row in rows):
        session = sessions[named[row["zone"], row["window_start"], row["revision"]]]
        steps = np.array(row["steps"], np.float32).reshape(1, 1, 24)
        row["logit"] = float(session.run(None, {session.get_inputs()[0].name: steps})[0][0, 0])
        row["label"] = "winter" if 1 / (1 + math.exp(-row["logit"])) >= 0.5 else "summer"
    return expected


def test_models_change_under_load(broker: Broker, tmp_path: Path) -> None:
    """No window is lost, doubled or scored by two models: each transaction has one, and its own answers."""
    world = World(broker.bootstrap_servers)
    models = [shifted(by) for by in (0.0, 0.5, -0.5, 1.0, -1.0, 2.0)]
    with running(world, tmp_path, models[0]) as (service, path):
        with load(world, shuffled_year(19)[:40_000]):
            for model in models[1:]:
                scored_more(service)
                put(path, model)
                taken_up(service, model)
            scored_more(service)
        world.wait_until_read()
    versions = [version(model) for model in models]
    for log in world.log("PREDICTIONS_TOPIC"):
        seen = [versions.index(named(message)) for message in log]
        assert seen == sorted(seen)  # between two transactions, never back
        # What ends a transaction takes an offset: messages whose offsets follow each other are of one.
        for (before, one), (after, other) in pairwise(zip(log, seen, strict=True)):
            assert one == other or after.offset > before.offset + 1
    assert check_rescored(world, models) == set(versions)


def test_a_file_that_does_not_fit_changes_nothing(broker: Broker, tmp_path: Path) -> None:
    """A broken file, another time zone, one that is being written, none at all: the running model goes on."""
    world = World(broker.bootstrap_servers)
    model, new = shifted(0.0), shifted(1.0)
    with running(world, tmp_path, model) as (service, path):
        messages = shuffled_year(20)[:20_000]
        with load(world, messages[:12_000]):
            for number, bad in enumerate((b"no model", shifted(1.0, "Europe/London"), b"")):
                put(path, bad)
                refused(service, number + 1)
            path.unlink()
            refused(service, 4)
            with path.open("wb", buffering=0) as slow:
                for start in range(0, len(new), len(new) // 8 + 1):
                    assert in_force(service) == version(model)
                    slow.write(new[start : start + len(new) // 8 + 1])
                    time.sleep(0.2)
            taken_up(service, new)
        world.publish(messages[12_000:])
        world.wait_until_read()
    assert check_rescored(world, (model, new)) == {version(model), version(new)}


def reloads(service: ServiceProcess) -> tuple[list[str], float, float]:
    """The model in the metrics, and how many files were taken and refused."""
    shown = service.metrics()
    models = [name for name, value in shown.items() if name.startswith("season_model_info") and value == 1]
    taken, refused = (shown[f'season_model_reloads_total{{result="{result}"}}'] for result in ("taken", "refused"))
    return models, taken, refused


def info(model: bytes) -> list[str]:
    """What the metrics show of the model in force."""
    return [f'season_model_info{{name="italy-load",version="{version(model)}"}}']


def hostile(model: onnx.ModelProto) -> bytes:
    """One that would harm the service, with all that the contract wants."""
    onnx.helper.set_model_props(model, METADATA | {"season.day_start": "00:00"})
    return bytes(model.SerializeToString())


def test_a_file_that_would_stop_the_service_does_not(broker: Broker, tmp_path: Path) -> None:
    """While it is tried, and after it, readings become the old model's predictions; a good file is then taken."""
    world = World(broker.bootstrap_servers)
    model, new = shifted(0.0), shifted(1.0)
    messages = shuffled_year(21)[:16_000]
    with running(world, tmp_path, model) as (service, path):
        assert reloads(service) == (info(model), 0, 0)
        put(path, hostile(endless_to_load()))
        wait(lambda: bool(children(service.process.pid)), 30, "it is not tried")
        (child,) = children(service.process.pid)
        os.kill(child, signal.SIGSTOP)  # so that all of this happens while it is tried
        world.publish(messages[:8_000])
        world.wait_until_read(30)
        assert children(service.process.pid) == [child]
        assert service.get("/readyz")[0] == 200
        os.kill(child, signal.SIGCONT)
        refused(service, 1)
        wait(lambda: reloads(service) == (info(model), 0, 1), 60, "it is not counted")
        assert not children(service.process.pid)
        assert {named(message) for message in world.flat("PREDICTIONS_TOPIC")} == {version(model)}
        put(path, new)
        taken_up(service, new)
        wait(lambda: reloads(service) == (info(new), 1, 1), 60, "it is not counted")
        world.publish(messages[8_000:])
        world.wait_until_read()
    assert check_rescored(world, (model, new)) == {version(model), version(new)}


@pytest.mark.parametrize("end", [ServiceProcess.stop, ServiceProcess.kill], ids=["SIGTERM", "kill -9"])
def test_a_trial_ends_with_the_service(
    broker: Broker, tmp_path: Path, end: Callable[[ServiceProcess], object]
) -> None:
    """However that ends; and it delays no SIGTERM."""
    world = World(broker.bootstrap_servers)
    path = tmp_path / "model.onnx"
    put(path, shifted(0.0))
    with world.service(tmp_path, MODEL_PATH=str(path), MODEL_RELOAD_INTERVAL="50ms") as service:
        service.ready()
        put(path, hostile(endless_to_load()))
        wait(lambda: bool(children(service.process.pid)), 30, "it is not tried")
        (child,) = children(service.process.pid)
        wait(lambda: processor_seconds(child) > 1, 30, "it does not begin")
        os.kill(child, signal.SIGSTOP)  # or its bounds would end it
        try:
            end(service)
            assert service.process.returncode in {0, -signal.SIGKILL}
            wait(lambda: gone(child), 30, "the trial goes on")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def test_a_day_without_an_end_becomes_a_dead_letter(broker: Broker, tmp_path: Path) -> None:
    """No trial reaches every day: one with which the model comes to no end is unscorable, and it alone."""
    world = World(broker.bootstrap_servers, partitions=1)
    path = tmp_path / "model.onnx"
    put(path, hostile(endless_at(77_777)))
    with world.service(tmp_path, MODEL_PATH=str(path)) as service:
        service.ready()
        demands = {"IT": [1000.0 + hour for hour in range(24)], "FR": [77_777.0 + hour for hour in range(24)]}
        hours = [(zone, hour, demand) for zone in demands for hour, demand in enumerate(demands[zone])]
        world.publish([reading(zone, START + hour * HOUR, demand) for zone, hour, demand in hours])
        world.wait_until_read()
        assert service.stop() == 0
    (prediction,), (letter,) = world.flat("PREDICTIONS_TOPIC"), world.flat("DEAD_LETTER_TOPIC")
    assert (prediction.key, letter.key) == (b"IT", b"FR")
    assert dict(letter.headers)["reason"] == b"unscorable_window"


def test_sighup_takes_a_new_file_at_once(broker: Broker, tmp_path: Path) -> None:
    """Whatever MODEL_RELOAD_INTERVAL says, and whether or not readings flow; a bad file then is told each time."""
    world = World(broker.bootstrap_servers)
    model, new = shifted(0.0), shifted(1.0)
    with running(world, tmp_path, model, "1d") as (service, path):
        put(path, new)
        time.sleep(1)
        assert in_force(service) == version(model)
        service.process.send_signal(signal.SIGHUP)
        taken_up(service, new)
        put(path, b"no model")
        for number in range(2):
            service.process.send_signal(signal.SIGHUP)
            refused(service, number + 1)
        assert in_force(service) == version(new)
