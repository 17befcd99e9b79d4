"""Jars, Kafka's above all: downloaded once into a cache, each checked against the sum in its lock file."""

import fcntl
import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

KAFKA_VERSION = "4.3.0"
"""The one place where it is pinned; docker-compose.yml names the same (tests/kafka_local holds it to that)."""

LOCK = Path(__file__).with_name("jars.lock")
_MAX_TRIES = 3


@dataclass(frozen=True)
class Jars:
    """Jars that are used together: what a person calls them, the cache's folder for them, and their lock file."""

    name: str
    folder: str
    lock: Path


KAFKA = Jars(f"Apache Kafka {KAFKA_VERSION}", f"kafka-{KAFKA_VERSION}", LOCK)


class JarError(Exception):
    """The jars cannot be downloaded; `str()` is the sentence."""


@dataclass(frozen=True)
class Jar:
    """A Maven artifact and the SHA-256 of its file in hexadecimal."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        """Return the file's name in Maven's repositories."""
        return f"{self.artifact}-{self.version}.jar"


def locked(lock: Path = LOCK) -> list[Jar]:
    """Return the jars of a lock file: a line `group:artifact:version sha256` each, `#` for comments."""
    lines = (line.split() for line in lock.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    parts = ((*coordinate.split(":", 2), sha256) for coordinate, sha256 in lines)
    return [Jar(group, artifact, version, sha256) for group, artifact, version, sha256 in parts]


def cache_folder() -> Path:
    """Return where downloads stay from one run to the next: the user's cache, else the Python environment."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for folder in (home / "season-stream", Path(sys.prefix) / "cache"):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    raise JarError(f"neither {home} nor {sys.prefix} can be written, and jars need a place to stay")


def class_path(cache: Path | None = None, say: Callable[[str], None] = lambda _: None, jars: Jars = KAFKA) -> Path:
    """Return the folder with all of the jars; download what is missing. Safe when two processes call at once.

    `say` gets a sentence when something is downloaded. Raises JarError.
    """
    cache = cache or cache_folder()
    stamp = hashlib.sha256(jars.lock.read_bytes()).hexdigest()[:12]
    folder = cache / f"{jars.folder}-{stamp}"
    if folder.is_dir():
        return folder
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fill(folder, say, jars)
    return folder


def _fill(folder: Path, say: Callable[[str], None], jars: Jars) -> None:
    """Download into a temporary folder and rename it at the end: a folder of this name is always complete."""
    wanted = locked(jars.lock)
    say(f"downloading {jars.name}: {len(wanted)} jars, 55 MB or so, once")
    partial = folder.with_name("partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "jars").mkdir(parents=True)
    with ThreadPoolExecutor(8) as pool:
        for path in pool.map(lambda jar: _download(jar, jars, partial / "maven"), wanted):
            path.rename(partial / "jars" / path.name)
    (partial / "jars").rename(folder)
    shutil.rmtree(partial)


def _download(jar: Jar, jars: Jars, repository: Path) -> Path:
    from jgo.maven import MavenContext  # a second to import, needed once  # noqa: PLC0415

    context = MavenContext(repo_cache=repository, local_repos=[], timeout=60)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    fault = ""
    for _ in range(_MAX_TRIES):
        try:
            path = Path(artifact.resolve())
        except (OSError, RuntimeError, AssertionError) as error:  # requests' errors are OSErrors
            fault = str(error) or type(error).__name__
        else:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found == jar.sha256:
                return path
            fault = f"its SHA-256 is {found}, but {jars.lock.name} says {jar.sha256}"
        # Else the next try would use an incomplete or wrong download.
        (repository.joinpath(*jar.group.split("."), jar.artifact, jar.version, jar.filename)).unlink(missing_ok=True)
    raise JarError(f"{jar.filename} of {jars.name} cannot be downloaded: {fault}")
