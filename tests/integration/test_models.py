"""Each model that ships, in the running service: its windows, its answers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consumer.adapters.model import load, probabilities
from kafka_local import Broker
from season.calendar import HOUR
from season.steps import F64
from tests.integration.test_promises import START
from tests.integration.test_service import reading
from tests.integration.world import World
from training.command_line import ROOT

MODELS = sorted((ROOT / "models").glob("*.onnx"))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_the_service_says_what_the_model_says(broker: Broker, tmp_path: Path, path: Path) -> None:
    """Days from the hour that the model's contract says, with the model's name, version and probabilities."""
    assert len(MODELS) == 3
    model = load(str(path))
    first = START + int(model.contract.day_start[:2]) * HOUR
    steps = np.random.default_rng(0).normal(30000, 5000, (5, 24))
    found = predictions(broker, tmp_path, path, first, steps)
    assert {(each["model"], each["model_version"]) for each in found} == {(model.contract.name, model.version)}
    assert [each["winter_probability"] for each in found] == probabilities(model.score(steps)).tolist()


def predictions(broker: Broker, folder: Path, model: Path, first: int, days: F64) -> list[dict[str, Any]]:
    """What a service with a model publishes of days [n, 24] that follow each other from an instant on."""
    world = World(broker.bootstrap_servers, partitions=1)
    with world.service(folder, MODEL_PATH=str(model)) as service:
        service.ready()
        hours = enumerate(days.reshape(-1).tolist())
        world.publish([reading("IT", first + hour * HOUR, demand) for hour, demand in hours])
        world.wait_until_read()
        assert service.stop() == 0
    found = [json.loads(message.value or b"") for message in world.flat("PREDICTIONS_TOPIC")]
    assert [each["steps"] for each in found] == days.tolist()
    return found
