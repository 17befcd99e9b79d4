"""Each road of docs/frameworks.md, walked as it stands there, from the framework to predictions of the service.

Needs `.venv-frameworks` (`make test-frameworks`); `make test` leaves this folder out.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from consumer.adapters.model import labels
from kafka_local import Broker
from season.steps import STEPS
from tests.integration.test_models import predictions
from tests.integration.test_promises import START
from training.adopt import PROBABILITY_TOLERANCE
from training.command_line import ROOT

PAGE = (ROOT / "docs" / "frameworks.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
ROADS = [name for name in SECTIONS if name not in {"The days", "What `adopt` cannot wrap"}]
LINKED = ("season", "training", "data", ".venv", ".venv-frameworks")


def walk(section: str, folder: Path) -> str:
    """Writes the files that a section of the page names, runs its commands, and gives what they say."""
    for name, program in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", SECTIONS[section], re.DOTALL):
        (folder / name).write_text(program)
    commands = re.findall(r"```sh\n(.*?)```", SECTIONS[section], re.DOTALL)
    return "".join(run(["sh", "-ec", command], folder) for command in commands)


def run(command: list[str], folder: Path, **environ: str) -> str:
    """What a command says, once it has ended well."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environ}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that stands for the repository's root, with the days cut."""
    folder = tmp_path_factory.mktemp("root")
    (folder / "models").mkdir()
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    walk("The days", folder)
    return folder


@pytest.mark.parametrize("road", ROADS)
def test_the_service_says_what_the_framework_says(broker: Broker, days: Path, tmp_path: Path, road: str) -> None:
    """Of days that it never saw the framework's own probabilities come out of the service; nearly all are right."""
    root = tmp_path / "root"
    shutil.copytree(days, root, symlinks=True)
    if road == "Caffe":
        program = str(Path(__file__).parent / "caffe_net.py")
        python = str(root / ".venv-frameworks" / "bin" / "python")
        run([python, program], root, PYTHONPATH=str(root), PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python")
    walk(road, root)
    rows = np.loadtxt(root / "examples.csv", delimiter=",")[::9]
    winter = np.loadtxt(root / "unseen.csv", delimiter=",")[::9, STEPS] == 1
    found = predictions(broker, tmp_path, root / "models" / "theirs.onnx", START, rows[:, :STEPS])
    probabilities = np.array([each["winter_probability"] for each in found])
    assert np.abs(probabilities - rows[:, STEPS]).max() < PROBABILITY_TOLERANCE
    assert [each["label"] for each in found] == labels(rows[:, STEPS], 0.5)
    assert {each["model"] for each in found} == {"theirs"}
    assert np.mean((rows[:, STEPS] >= 0.5) == winter) > 0.9
