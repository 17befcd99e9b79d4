"""A new model file is tried while the running model goes on, and taken up between two transactions, or refused."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from consumer.adapters.metrics import Metrics
from consumer.adapters.model import Attempt
from consumer.reload import Models
from season.cli import StoppedError
from season.contract import ContractError
from tests.made_models import METADATA, endless, endless_to_load, network, write

INTERVAL_S = 10.0
RELOADS = "season_model_reloads_total"


class Running:
    """The models of a service whose file this is, and what it shows of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked, self.stopped = threading.Event(), threading.Event()
        self.metrics = Metrics()
        self.begun: list[Attempt] = []
        self.models = Models(self._attempt, path, INTERVAL_S, self.asked, self.stopped, self.metrics)
        self.now = 100.0
        self.models.poll(self.now)

    def put(self, shift: float = 0.0, **metadata: str) -> None:
        """Put a model in the file that adds so much to each logit."""
        model = network()
        model.graph.initializer[1].raw_data = np.full(1, shift - 10, np.float32).tobytes()
        write(self.path, model, METADATA | {f"season.{name}": text for name, text in metadata.items()})

    def pass_interval(self) -> None:
        """Poll, the interval later."""
        self.now += INTERVAL_S
        self.models.poll(self.now)

    def finish(self) -> None:
        """Wait for the trial that is under way, and poll once more, at the same time."""
        assert self.begun[-1].ended(60)
        self.models.poll(self.now)

    def shown(self) -> tuple[dict[str, str], float, float]:
        """The model in the metrics, and the files that were taken and refused."""
        lines = dict(line.rsplit(" ", 1) for line in self.metrics.text().decode().splitlines() if line[0] != "#")
        (info,) = (name for name in lines if name.startswith("season_model_info"))
        labels = dict(pair.split("=") for pair in info[info.index("{") + 1 : -1].replace('"', "").split(","))
        taken, refused = (float(lines[f'{RELOADS}{{result="{result}"}}']) for result in ("taken", "refused"))
        return labels, taken, refused

    def _attempt(self) -> Attempt:
        self.begun.append(Attempt(str(self.path), {}))
        return self.begun[-1]


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """A service that runs the tiny model."""
    write(tmp_path / "model.onnx")
    return Running(tmp_path / "model.onnx")


def refused(running: Running) -> str:
    """The log's sentence once the new file is refused; the running model stays."""
    before, (labels, taken, count) = running.models.current, running.shown()
    with capture_logs() as logs:
        running.pass_interval()
        running.finish()
    assert running.models.current is before
    assert running.shown() == (labels, taken, count + 1)
    (line,) = logs
    assert line["log_level"] == "error"
    assert "the new model file is refused, the running model stays" in line["event"]
    return str(line.get("error", line["event"]))


def test_the_model_in_force_is_shown(running: Running) -> None:
    """From the start on, and no start is a reload."""
    assert running.shown() == ({"name": "tiny", "version": running.models.current.version}, 0, 0)


def test_a_good_file_is_taken_up(running: Running) -> None:
    """Once it was tried: the metrics show the new model alone, and one more that was taken."""
    before = running.models.current
    running.put(1.0, name="new")
    running.pass_interval()
    assert running.models.current is before
    running.finish()
    new = running.models.current
    assert new.score(np.ones((1, 24))) == before.score(np.ones((1, 24))) + 1
    assert running.shown() == ({"name": "new", "version": new.version}, 1, 0)


def test_while_a_file_is_tried_nobody_waits(running: Running) -> None:
    """A trial that takes seconds costs a question of it next to nothing."""
    write(running.path, endless())
    running.pass_interval()
    polls, began = 0, time.thread_time()
    while not running.begun[-1].ended(0.001):
        running.models.poll(running.now)
        polls += 1
    assert polls > 100
    assert time.thread_time() - began < 0.001 * polls
    assert len(running.begun) == 2


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: write(path, endless()), "tried in a process of its own: a batch of 1 (ramps) comes to no end"),
        (lambda path: path.write_bytes(b"no model"), "cannot load the file"),
        (lambda path: path.unlink(), "the file cannot be read (No such file or directory)"),
        (lambda path: write(path, metadata={}), "neither the model's metadata nor a setting says"),
        (lambda path: write(path, metadata=METADATA | {"season.day_start": "07:00"}), "it would change the windows"),
    ],
    ids=["endless", "no ONNX", "gone", "no time zone", "other windows"],
)
def test_any_other_file_is_refused(running: Running, spoil: Callable[[Path], object], says: str) -> None:
    """With a sentence and in the metrics, once, until it changes again."""
    spoil(running.path)
    assert says in refused(running)
    running.pass_interval()
    assert len(running.begun) == 2


def test_a_file_is_looked_for_at_the_interval_and_when_asked(running: Running) -> None:
    """Not before; and when asked also where nothing has changed."""
    running.put(1.0)
    running.models.poll(running.now + INTERVAL_S - 0.1)
    assert len(running.begun) == 1
    running.asked.set()
    running.models.poll(running.now)
    running.finish()
    assert running.shown()[1:] == (1, 0)
    running.asked.set()
    running.models.poll(running.now)
    running.finish()
    running.models.poll(running.now)
    assert len(running.begun) == 3
    assert running.shown()[1:] == (1, 0)  # it is the model that runs


def test_a_file_that_changes_during_its_trial_is_not_taken_up(running: Running) -> None:
    """What was tried is not what is there: that is tried at the next occasion, and taken."""
    before = running.models.current
    running.put(1.0)
    running.pass_interval()
    assert running.begun[-1].ended(60)
    running.put(2.0)
    with capture_logs() as logs:
        running.models.poll(running.now)
    assert "has changed while it was tried" in logs[0]["event"]
    assert running.models.current is before
    running.pass_interval()
    running.finish()
    assert running.models.current.score(np.ones((1, 24))) == before.score(np.ones((1, 24))) + 2
    assert running.shown()[1:] == (1, 0)


def test_a_file_that_vanishes_during_its_trial_is_not_taken_up(running: Running) -> None:
    """And refused at the next occasion, since there is nothing to read."""
    before = running.models.current
    running.put(1.0)
    running.pass_interval()
    assert running.begun[-1].ended(60)
    running.path.unlink()
    running.models.poll(running.now)
    assert running.models.current is before
    assert "No such file" in refused(running)


def test_who_asks_during_a_trial_is_answered_after_it(running: Running) -> None:
    """SIGHUP means what is there now, not what is being tried."""
    running.put(1.0)
    running.pass_interval()
    running.asked.set()
    running.put(2.0)
    running.finish()
    running.models.poll(running.now)
    running.finish()
    assert len(running.begun) == 3
    assert running.models.current.score(np.ones((1, 24))) == np.float32(1 - 10 + 2)


def test_a_start_with_such_a_file_fails(tmp_path: Path) -> None:
    """With the sentence that begins with MODEL_PATH."""
    path = tmp_path / "model.onnx"
    write(path, endless())
    with pytest.raises(ContractError, match=f"MODEL_PATH={path}: tried in a process of its own: "):
        Running(path)


def test_a_start_can_be_broken_off(tmp_path: Path) -> None:
    """Whoever stops the program need not wait for a trial."""
    path = tmp_path / "model.onnx"
    write(path, endless_to_load())
    stopped = threading.Event()
    stopped.set()
    attempt = Attempt(str(path), {})
    with pytest.raises(StoppedError):
        Models(lambda: attempt, path, INTERVAL_S, threading.Event(), stopped, Metrics())
    assert not attempt.ended()
