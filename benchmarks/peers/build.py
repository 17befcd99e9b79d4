"""Resolves and compiles a peer, into `.build/` beside its sources, where a JDK and Maven are installed."""

import re
import shutil
import subprocess
from pathlib import Path

from benchmarks.tables import report

PEERS = Path(__file__).resolve().parent
OLDEST_JAVA = 17


class BuildError(Exception):
    """A peer cannot be built; `str()` is the sentence."""


def build(name: str) -> str:
    """Return the class path of a peer, resolved and compiled where that is not done yet. BuildError."""
    sources, target = PEERS / name, PEERS / ".build" / name
    lib, classes = target / "lib", target / "classes"
    maven, compiler = _program("mvn"), _program("javac")
    _check_version(compiler)
    pom = sources / "pom.xml"
    done = target / "resolved"
    if not done.exists() or done.stat().st_mtime < pom.stat().st_mtime:
        report(f"resolving the libraries of {name} with Maven")
        shutil.rmtree(lib, ignore_errors=True)
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={lib}"]
        _run([maven, "--quiet", "--batch-mode", "--file", str(pom), *goal])
        done.touch()
    files = [str(file) for file in sources.glob("src/main/java/**/*.java")]
    _run([compiler, "-nowarn", "--release", str(OLDEST_JAVA), "-cp", f"{lib}/*", "-d", str(classes), *files])
    return f"{classes}:{lib}/*"


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BuildError(f"{name} is not installed: the peers need a JDK {OLDEST_JAVA} or later and Maven")
    return found


def _check_version(compiler: str) -> None:
    answer = subprocess.run([compiler, "-version"], capture_output=True, text=True, check=True)
    version = re.search(r"\d+", answer.stdout + answer.stderr)
    if version is None or int(version[0]) < OLDEST_JAVA:
        raise BuildError(f"{compiler} is {answer.stdout.strip()}: the peers need a JDK {OLDEST_JAVA} or later")


def _run(command: list[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        said = (answer.stdout + answer.stderr)[-2000:]
        raise BuildError(f"{Path(command[0]).name} failed with status {answer.returncode}:\n{said}")
