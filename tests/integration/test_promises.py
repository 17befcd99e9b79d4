"""What the service promises beside the windows: ids, silence, partitions, models, what does not fit."""

import json
import shutil
from pathlib import Path

import numpy as np

from kafka_local import Broker
from season.calendar import HOUR, Calendar
from tests.integration.test_service import check, reading, shuffled_year
from tests.integration.world import MODEL, World, wait

ROME = Calendar("Europe/Rome")
START = int(ROME.starts(np.array([18779]))[0])  # 2021-06-01


def day(zone: str, hours: range = range(24), start: int = START) -> list[dict[str, object]]:
    """Hours of a day that is not constant."""
    return [reading(zone, start + hour * HOUR, 20000.0 + 100.0 * hour) for hour in hours]


def test_of_two_with_one_id_the_older_stops(broker: Broker, tmp_path: Path) -> None:
    """The newcomer takes the transactional.id; the older one ends with status 1 and says why; nothing is doubled."""
    world = World(broker.bootstrap_servers)
    with world.service(tmp_path, INSTANCE_ID="same") as older:
        wait(lambda: "partition restored" in older.log.read_text(), 30, "the older one does not start")
        with world.service(tmp_path, INSTANCE_ID="same") as newer:
            newer.ready()
            world.publish(shuffled_year(3)[:4000])
            wait(lambda: older.process.poll() is not None, 30, "the older one does not stop")
            assert older.process.returncode == 1
            assert "INSTANCE_ID='same'" in older.log.read_text()
            world.wait_until_read()
            assert newer.stop() == 0
    check(world)


def test_a_silent_zone_has_its_windows_ended(broker: Broker, tmp_path: Path) -> None:
    """After IDLE_TIMEOUT a window is filled and scored, or is a dead letter; what has ended stays ended."""
    world = World(broker.bootstrap_servers)
    with world.service(tmp_path, IDLE_TIMEOUT="2s") as service:
        world.publish([*day("almost", range(23)), *day("half", range(12))])
        wait(lambda: len(world.flat("PREDICTIONS_TOPIC")) == 1, 30, "no prediction")
        wait(lambda: len(world.flat("DEAD_LETTER_TOPIC")) == 1, 30, "no dead letter")
        world.publish(day("almost", range(23, 24)))
        wait(lambda: len(world.flat("DEAD_LETTER_TOPIC")) == 2, 30, "the late reading is no dead letter")
        assert service.metrics()["season_open_windows"] == 0
        assert service.stop() == 0
    (prediction,) = [json.loads(m.value or b"") for m in world.flat("PREDICTIONS_TOPIC")]
    assert (prediction["zone"], prediction["filled_hours"], prediction["steps"][23]) == ("almost", 1, 22200.0)
    reasons = [dict(m.headers)["reason"] for m in world.flat("DEAD_LETTER_TOPIC")]
    assert sorted(reason or b"" for reason in reasons) == [b"incomplete_window", b"late"]


def test_a_new_model_is_taken_up_and_a_broken_one_is_not(broker: Broker, tmp_path: Path) -> None:
    """A file that keeps the contract is taken up while running; a half-written one changes nothing."""
    world = World(broker.bootstrap_servers)
    path = tmp_path / "model.onnx"
    shutil.copy(MODEL, path)
    with world.service(tmp_path, MODEL_PATH=str(path), MODEL_RELOAD_INTERVAL="100ms") as service:
        service.ready()
        before = json.loads(service.get("/model")[1])
        path.write_bytes(MODEL.read_bytes()[:9000])
        wait(lambda: "is refused" in service.log.read_text(), 20, "the broken file is not noticed")
        assert json.loads(service.get("/model")[1]) == before
        path.write_bytes(MODEL.read_bytes() + b"\x72\x00")  # an empty metadata entry more: another version
        wait(lambda: json.loads(service.get("/model")[1])["version"] != before["version"], 20, "not taken up")
        world.publish(day("IT"))
        world.wait_until_read()
        version = json.loads(service.get("/model")[1])["version"]
        assert service.stop() == 0
    (prediction,) = [json.loads(m.value or b"") for m in world.flat("PREDICTIONS_TOPIC")]
    assert prediction["model_version"] == version


def test_another_partitioner_is_warned_of(broker: Broker, tmp_path: Path) -> None:
    """A zone on another partition than Java's clients choose is a warning, once."""
    world = World(broker.bootstrap_servers)
    messages = [{**message, "partition": 3} for zone in "abcdef" for message in day(zone, range(2))]
    world.publish(messages)
    with world.service(tmp_path) as service:
        world.wait_until_read()
        assert service.stop() == 0
        assert service.log.read_text().count("murmur2") == 2  # one line, which names it twice


def test_a_changelog_that_does_not_fit_stops_the_start(broker: Broker, tmp_path: Path) -> None:
    """Another time zone while windows are open, or a group whose changelog is gone: a sentence, status 2."""
    world = World(broker.bootstrap_servers)
    world.publish(day("IT", range(5)))
    with world.service(tmp_path) as service:
        world.wait_until_read()
        assert service.stop() == 0
    for setting, value in (("WINDOW_TIME_ZONE", "Europe/London"), ("CHANGELOG_TOPIC", f"{world.name}.other")):
        with world.service(tmp_path, **{setting: value}) as service:
            assert service.process.wait(30) == 2
            assert setting in service.log.read_text()
            assert "Traceback" not in service.log.read_text()
