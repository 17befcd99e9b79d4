"""`python3 requirements/install.py NAME…` makes `.venv` hold what requirements/NAME.txt lock.

It is quick where `.venv` does already. It runs on the machine's own Python, before anything is installed. A `.venv`
that is half made, moved or of another Python is made anew; an interrupted run is gone on with by the next one, and of
two at once the second waits.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
PYTHON = VENV / "bin" / "python"
OLDEST, NEWEST = (3, 11), (3, 13)


def pins(name: str) -> set[str]:
    """Return the requirements of a lock file, without their hashes: `numpy==2.4.6 ; python_version >= '3.11'`."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    return {line.rstrip(" \\") for line in text.splitlines() if line and line[0] not in " #-"}


def installed() -> set[str]:
    """Return what the last complete run put into `.venv`; nothing where that has another Python or path."""
    try:
        stamp = json.loads(STAMP.read_text("utf-8"))
        fits = stamp["python"] == sys.version and stamp["venv"] == str(VENV)
        return set(stamp["pins"]) if fits and PYTHON.exists() else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def works() -> bool:
    """Return whether `.venv` has a Python of this version, with pip and the right prefix."""
    probe = "import sys, pip; print(sys.version_info[:2] == %r and sys.prefix == %r)"
    try:
        answer = subprocess.run(
            [PYTHON, "-c", probe % (sys.version_info[:2], str(VENV))], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    return answer.stdout.strip() == "True"


def make_venv() -> None:
    """Make a fresh `.venv`, whatever stood there."""
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if made.returncode != 0 or not works():
        sys.exit(
            f"{sys.executable} cannot make a virtual environment (Debian: apt install python3-venv):\n{made.stdout}"
        )


def install(names: list[str]) -> None:
    """Install with pip, each file held to the hash in its lock."""
    held = installed()
    if not works():
        held = set()
        make_venv()
    wanted = set().union(*map(pins, names))
    STAMP.unlink(missing_ok=True)
    locks = [argument for name in names for argument in ("-r", str(ROOT / "requirements" / f"{name}.txt"))]
    command = [
        str(PYTHON),
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--no-deps",
        "--no-compile",
        "--quiet",
        *locks,
    ]
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        sys.exit(f"installing {', '.join(names)} failed: pip's reason stands above")
    replaced = {pin.split("==")[0] for pin in wanted}
    unchanged = {pin for pin in held if pin.split("==")[0] not in replaced}
    stamp = {"python": sys.version, "venv": str(VENV), "pins": sorted(wanted | unchanged)}
    partial = STAMP.with_suffix(".partial")
    partial.write_text(json.dumps(stamp, indent=1), "utf-8")
    partial.rename(STAMP)


def main(names: list[str]) -> None:
    """Install what is not there yet, and say how long it took."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(f"this is Python {sys.version.split()[0]}, but 3.11 to 3.13 is needed: make PYTHON=python3.12 ...")
    wanted = set().union(*map(pins, names))
    if wanted <= installed():
        return
    with (ROOT / "requirements" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if wanted <= installed():
            return
        began = time.monotonic()
        print(f"installing {len(wanted)} Python packages into .venv ...", flush=True)  # noqa: T201
        install(names)
        print(f"installed in {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
