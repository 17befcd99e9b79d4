"""The installed package: built as a wheel, put into a fresh environment, run from another folder."""

import email
import re
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from kafka_local import Broker
from requirements.install import pins
from season.installed import version
from season.messages import decode_prediction
from tests.integration.world import World, wait

ROOT = Path(__file__).parent.parent
LOCKS = {"consumer": "service", "producer": "producer", "training": "training"}
SCRIPTS = {"season-consumer": "consumer", "season-producer": "producer", "season-train": "training"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the scripts in an environment that has the wheel and nothing that it needs."""
    return _installed(wheel, tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same where what it needs is there: this environment's packages, without a download."""
    folder = tmp_path_factory.mktemp("whole")
    found = _installed(wheel, folder)
    (packages,) = folder.glob("lib/python3*/site-packages")
    (packages / "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return found


def _installed(wheel: Path, folder: Path) -> Path:
    venv.create(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True, timeout=120)
    return folder / "bin"


def run(script: Path, *arguments: str, folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """One run of a script, in a folder and an environment of its own."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **settings}
    return subprocess.run(
        [str(script), *arguments], cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_each_script_says_what_it_is(scripts: Path, script: str, tmp_path: Path) -> None:
    """Name and version, and a help that calls it as it was called."""
    assert run(scripts / script, "--version", folder=tmp_path).stdout == f"{script} {version()}\n"
    helped = run(scripts / script, "--help", folder=tmp_path)
    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.startswith(f"usage: {script} ")
    assert "python -m" not in helped.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_its_extra_a_script_says_which_one_to_install(bare: Path, script: str, tmp_path: Path) -> None:
    """One sentence and status 2, whatever it is asked for."""
    for arguments in ([], ["--help"], ["--version"]):
        done = run(bare / script, *arguments, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"pip install 'season-stream[{SCRIPTS[script]}]'" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_it_runs_outside_of_the_checkout(scripts: Path, broker: Broker, tmp_path: Path) -> None:
    """From a file of readings to a prediction, with the model that came with the package."""
    world = World(broker.bootstrap_servers)
    hours = [f"2021-06-01T{hour:02}:00:00+02:00,{20_000 + 100 * hour}" for hour in range(24)]
    (tmp_path / "day.csv").write_text("\n".join(["timestamp,demand_mw", *hours]))
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        environ = {"PATH": "/usr/bin:/bin", **world.environ}
        service = subprocess.Popen([scripts / "season-consumer"], cwd=tmp_path, env=environ, stderr=stderr)
    try:
        sent = run(scripts / "season-producer", "day.csv", "--zone", "IT", folder=tmp_path, **world.environ)
        assert sent.returncode == 0, sent.stderr
        wait(lambda: "started" in log.read_text() or service.poll() is not None, 120, "the service does not start")
        assert service.poll() is None, log.read_text()
        # Compiled by the start, which is the first one here, and not while readings wait.
        assert list(scripts.parent.glob("lib/python3*/site-packages/consumer/core/__pycache__/rule.read-*.nbc"))
        wait(lambda: bool(world.flat("PREDICTIONS_TOPIC")), 120, "there is no prediction")
        (message,) = world.flat("PREDICTIONS_TOPIC")
        assert decode_prediction(message.value).model == "italy-load"
        watched = run(scripts / "season-consumer", "watch", "--until-now", folder=tmp_path, **world.environ)
        assert re.match("IT  *2021-06-01 ", watched.stdout), watched.stderr
        service.send_signal(signal.SIGTERM)
        assert service.wait(10) == 0
    finally:
        service.kill()
        service.wait()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train"], "--data: a file is needed here"),
        (["train", "--data", "load.csv"], "--out: the ONNX file to write is needed here"),
        (["export", "--checkpoint", "a.pt", "--data", "load.csv"], "--out: "),
        (["evaluate"], "--data: a file is needed here"),
        (["evaluate", "--data", "load.csv"], "--card: a file is needed here"),
    ],
)
def test_the_trainer_says_which_files_it_has_no_default_for(
    scripts: Path, arguments: list[str], says: str, tmp_path: Path
) -> None:
    """The repository's data do not come with the package, and nothing is written into it."""
    done = run(scripts / "season-train", *arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(says)


def test_the_trainer_holds_the_package_s_own_model_to_a_file(scripts: Path, tmp_path: Path) -> None:
    """The days of a file, from another folder; the card is written where it is asked for."""
    data = ["--data", str(ROOT / "data" / "italy_load_2015_2021.csv"), "--zone", "IT", "--demand-column", "load_mw"]
    days = ["--since", "2021-01-01", "--until", "2021-03-01"]
    done = run(scripts / "season-train", "evaluate", *data, *days, "--card", "card.md", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "of 59 days are right" in done.stdout
    assert (tmp_path / "card.md").read_text().startswith("# ")


def test_the_wheel_has_the_programs_their_model_and_what_they_need(wheel: Path) -> None:
    """No tests, data or demo; each requirement of an extra is one of the lock that is compiled from it."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (path,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_string(archive.read(path).decode())
    assert {name.split("/")[0] for name in names} == {
        "season",
        "consumer",
        "producer",
        "training",
        path.split("/")[0],
    }
    assert [name for name in names if name.endswith(".onnx")] == ["season/models/season_classifier.onnx"]
    assert set(metadata.get_all("Provides-Extra", [])) == LOCKS.keys()
    for extra, lock in LOCKS.items():
        locked = {pin.split("==")[0] for pin in pins(lock)}
        assert _needed(metadata, extra) <= locked, extra


def _needed(metadata: Message, extra: str) -> set[str]:
    """The packages that an installation with this extra asks for."""
    wanted = [
        line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line or f"'{extra}'" in line
    ]
    return {re.split(r"[^A-Za-z0-9_-]", line)[0] for line in wanted}
