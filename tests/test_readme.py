"""What README.md shows is what happens: its output, its commands, its Python."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from consumer.adapters.model import labels, load, probabilities
from consumer.settings import Settings
from consumer.watch import render
from consumer.watch.line import width
from kafka_local import Broker
from season import instants
from season.calendar import Calendar
from season.catalogue import KAFKA, settings_of, table
from season.labels import calendar_label
from season.messages import Predictions, decode_prediction, encode_predictions
from season.steps import day_windows
from tests.integration.test_service import italian_year
from tests.integration.world import MODEL, ROOT, ServiceProcess, wait

README = (ROOT / "README.md").read_text()


def block(name: str) -> str:
    """The code block behind a comment that names it."""
    found = re.search(rf"<!-- {name}: .*? -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found is not None, name
    return found[1]


def year_2021() -> tuple[list[str], list[tuple[int, bool]]]:
    """The line of each day of 2021, and its month with whether the label agrees with the calendar."""
    model, rome = load(str(MODEL)), Calendar("Europe/Rome")
    year = italian_year()
    windows = day_windows(np.array([at for at, _ in year]), np.array([load_ for _, load_ in year]), rome)
    logits, days = model.score(windows.steps), windows.days
    winter, months = probabilities(logits), rome.months(windows.days).tolist()
    seasons, calendar_labels = labels(winter, model.contract.threshold), [calendar_label(m) for m in months]
    none = np.zeros_like(days)
    columns = Predictions(
        ["IT"] * len(days), rome.starts(days), rome.ends(days), seasons, winter, logits, calendar_labels, none, none,
        windows.steps,
    )  # fmt: skip
    values = encode_predictions(columns, model.contract.name, model.version)
    lines = [render(decode_prediction(value), rome) for value in values]
    return lines, [(month, a == b) for month, a, b in zip(months, seasons, calendar_labels, strict=True)]


def test_the_demo_s_output_is_that_of_the_model_and_the_data() -> None:
    """Each day that is shown is what the committed model says of the committed data, and so is the summary."""
    lines, agreed = year_2021()
    shown = block("demo").splitlines()
    days = [line for line in shown if line.startswith("IT ")]
    assert len(days) == 5
    assert set(days) <= set(lines)
    right = sum(agrees for _, agrees in agreed)
    assert (
        f"labelled as the calendar has it: {right} of {len(lines)} days ({100 * right / len(lines):.1f} %)" in shown
    )
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    shares = [np.mean([agrees for of, agrees in agreed if of == month]) for month in range(1, 13)]
    months = [f"{name} {100 * share:3.0f}" for name, share in zip(names, shares, strict=True)]
    assert "by month, in %: " + "  ".join(months[:6]) in shown
    assert " " * len("by month, in %: ") + "  ".join(months[6:]) in shown
    assert max(width(line) for line in shown) <= 80


def test_its_python_publishes_and_subscribes(tmp_path: Path) -> None:
    """The lines of Python work as they stand: a day published by one is a prediction that the other prints."""
    with Broker(tmp_path / "kafka") as broker:
        environ = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers}
        with ServiceProcess({**environ, "HTTP_PORT": "0", "LOG_FORMAT": "json"}, tmp_path / "log") as service:
            wait(lambda: "partition restored" in service.log.read_text(), 60, "the service does not start")
            subprocess.run([sys.executable, "-c", block("publish")], env=environ, check=True, timeout=120)
            # Ten lines that wait for half a minute for more: here for a moment, once the first has come.
            subscribe = block("subscribe").replace("poll(30)", 'poll(1 if "day" in globals() else 60)')
            assert "globals" in subscribe
            command = [sys.executable, "-c", subscribe]
            done = subprocess.run(command, env=environ, check=True, timeout=120, capture_output=True, text=True)
            assert service.stop() == 0
    start = instants.parse("2021-06-01T00:00:00+02:00")
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"DE {instants.format(start)} ")


def test_its_commands_exist() -> None:
    """Each `make` target and each folder in the map is there."""
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for folder in re.findall(r"`([a-z_/]+/)`", README):
        assert any((base / folder).is_dir() for base in (ROOT, ROOT / "consumer")), folder


def test_its_table_of_settings_is_that_of_the_help() -> None:
    """Both are made of one list; where this fails, the table that belongs there is in the message."""
    rows = table([*KAFKA, *settings_of(Settings)])
    assert rows in README, rows
