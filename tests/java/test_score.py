"""The same file in Java: its own sigmoid gives the service's probabilities and labels.

It needs a JDK 17 or later (`JAVA_HOME`, or `java` on the PATH), since the program is run from its source. The Java
that the broker runs on has no compiler.
"""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from consumer.adapters.model import labels, load, probabilities
from kafka_local.jars import Jars, class_path
from season import files
from season.calendar import Calendar
from season.steps import F64
from training import archive, days
from training.command_line import DATA, ROOT, parse

HERE = Path(__file__).parent
RUNTIME = Jars("ONNX Runtime for Java", "onnxruntime-java", HERE / "jars.lock")
MODELS = sorted((ROOT / "models").glob("*.onnx"))


@cache
def jdk() -> tuple[str, str]:
    """The `java` of a JDK that can run a source file, and "": or nothing, and why there is none."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home, "bin", "java"))) if home else shutil.which("java")
    if java is None:
        return "", "no java is installed (neither JAVA_HOME nor the PATH has one)"
    modules = subprocess.run([java, "--list-modules"], capture_output=True, text=True, check=False).stdout
    compiler = re.search(r"^jdk\.compiler@(\d+)", modules, re.MULTILINE)
    if compiler is None or int(compiler[1]) < 17:
        return "", "the installed java is no JDK 17 or later: it cannot compile"
    return java, ""


def scored(model: Path, steps: F64) -> tuple[F64, list[str]]:
    """What the Java program says of days [n, 24]: the probabilities of winter [n], and the labels."""
    java, missing = jdk()
    if missing:
        pytest.skip(f"Score.java was not run: {missing}")
    command = [java, "-cp", str(class_path(jars=RUNTIME) / "*"), str(HERE / "Score.java"), str(model)]
    lines = "\n".join(",".join(map(repr, day)) for day in steps.astype(np.float32).tolist())
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = [line.split(",") for line in done.stdout.splitlines()]
    return np.array([float(winter) for winter, _ in answers]), [label for _, label in answers]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.stem)
@pytest.mark.parametrize("what", ["a year of Italy", "the benchmark's test days"])
def test_java_gives_the_services_answers(model: Path, what: str) -> None:
    """Probabilities to 1e-6 and every label, of 365 Italian days and of the 1,029 rows of the archive's test."""
    steps = _days(what)
    winter, said = scored(model, steps)
    ours = load(str(model))
    wanted = probabilities(ours.score(steps))
    assert len(winter) == len(steps) == {"a year of Italy": 365, "the benchmark's test days": 1029}[what]
    assert np.abs(winter - wanted).max() <= 1e-6
    assert said == labels(wanted, ours.contract.threshold)


def _days(what: str) -> F64:
    if what == "a year of Italy":
        options = files.options(parse(["evaluate"]))
        return days.load(DATA, options, Calendar("Europe/Rome")).days.between("2021-01-01", "2021-12-31").steps
    return archive.read(ROOT / "data" / "ItalyPowerDemand_TEST.ts", "TEST").steps
