"""What the trainer's commands do: gather what they need, do it, say what came out."""

import argparse
import os
import sys
import time
from pathlib import Path

import pydantic
from torch import nn

from season import files
from season.calendar import Calendar
from season.contract import Contract
from season.settings import SettingError
from training import card, days
from training.evaluate import Evaluation, hold
from training.export import Checkpoint, restore, save, write
from training.figures import figures
from training.model import Model
from training.recipes import Configuration
from training.train import learn, logits_of

THRESHOLD = 0.5
TIME_ZONE = "Europe/Rome"


def train(options: argparse.Namespace, configuration: Configuration, command: str) -> None:
    """Learns, writes the model to `options.out`, and the checkpoint and the card beside it."""
    _check_writable("--out", options.out, ".onnx")
    began = time.monotonic()
    windows = _calendar(options.time_zone, options.day_start)
    source = _load(options, windows)
    parts = days.split(source.days)
    spans = (f"{part.first} to {part.last}" for part in parts)
    _say("learning from {}, choosing on {}, testing on {}".format(*spans))
    network, epoch = learn(configuration, *parts[:2])
    contract = Contract(
        name=days.NAMES.get(source.sha256, options.out.stem),
        threshold=THRESHOLD,
        time_zone=windows.time_zone,
        day_start=windows.day_start,
        training_data=source.name,
        training_data_sha256=source.sha256,
        metrics=_metrics(network, parts, epoch),
    )
    checkpoint = Checkpoint(network, configuration, contract, command)
    _write(checkpoint, source, options.out)
    save(checkpoint, options.out.with_suffix(".pt"))
    evaluation = hold(Model.load(options.out), source, every_day=False)
    _say_figures(evaluation, options.out.with_suffix(".md"))
    _say(
        f"{_shown(options.out)}: {evaluation.figures.accuracy:.2%} of {len(evaluation.days)} days that it had never "
        f"seen are right; made in {time.monotonic() - began:.0f} s"
    )


def evaluate(options: argparse.Namespace) -> None:
    """Holds a model to the days of a file and writes its card."""
    path = options.card if options.card is not None else options.model.with_suffix(".md")
    model = Model.load(options.model)
    _check_writable("--card", path, ".md")
    source = _load(options, _windows_of(model.contract))
    evaluation = hold(model, source, every_day=options.since is not None or options.until is not None)
    _say_figures(evaluation, path)
    _say(f"{_shown(model.path)}: {evaluation.figures.accuracy:.2%} of {len(evaluation.days)} days are right")


def export(options: argparse.Namespace) -> None:
    """Writes a checkpoint's network to `options.out`."""
    _check_writable("--out", options.out, ".onnx")
    windows = _calendar(options.time_zone or TIME_ZONE, options.day_start or "00:00")
    plain = Contract(name=options.out.stem, time_zone=windows.time_zone, day_start=windows.day_start)
    checkpoint = restore(options.checkpoint, options.architecture, plain)
    source = _load(options, _windows_of(checkpoint.contract))
    _write(checkpoint, source, options.out)


def _load(options: argparse.Namespace, windows: Calendar) -> days.Source:
    """The file's days; stamps without an offset are of the windows' time zone where no option says another."""
    if options.time_zone is None:
        options.time_zone = windows.time_zone
    source = days.load(options.data, files.options(options), windows)
    _say(
        f"{source.name}: {len(source.days)} whole days; {source.incomplete} that lack an hour and "
        f"{source.constant} that are constant are left out"
    )
    return source


def _write(checkpoint: Checkpoint, source: days.Source, path: Path) -> None:
    difference = write(checkpoint, source.days.steps, path)
    _say(
        f"{_shown(path)}: {path.stat().st_size / 1000:.1f} kB, PyTorch's logits to {difference:.1g} for "
        f"{len(source.days)} days in ONNX Runtime, in one batch and one by one"
    )


def _say_figures(evaluation: Evaluation, path: Path) -> None:
    card.write(evaluation, path)
    _say(f"\n{card.by_month(evaluation)}\n\n{card.headline(evaluation)}\ncard: {_shown(path)}")


def _metrics(
    network: nn.Module, parts: tuple[days.Days, days.Days, days.Days], epoch: int
) -> dict[str, pydantic.JsonValue]:
    """What the model says of its training: the days of each part, and how good it is on them."""
    metrics: dict[str, pydantic.JsonValue] = {"epoch": epoch}
    for name, part in zip(days.PARTS, parts, strict=True):
        found = figures(logits_of(network, part.steps), part.winter, part.months, THRESHOLD)
        metrics[name] = {
            "first": part.first,
            "last": part.last,
            "days": len(part),
            "accuracy": round(found.accuracy, 4),
            "calibration_error": round(found.calibration_error, 4),
            "log_loss": round(found.log_loss, 4),
        }
    return metrics


def _windows_of(contract: Contract) -> Calendar:
    return Calendar(contract.time_zone, contract.day_start)


def _calendar(time_zone: str, day_start: str) -> Calendar:
    try:
        Calendar(time_zone)
    except ValueError as error:
        raise SettingError(f"--time-zone: {error}") from None
    try:
        return Calendar(time_zone, day_start)
    except ValueError as error:
        raise SettingError(f"--day-start: {error}") from None


def _check_writable(option: str, path: Path, ending: str) -> None:
    """Says at once, not after minutes of work, that a file cannot be written."""
    if path.suffix != ending or path.is_dir():
        raise SettingError(f"{option} {path}: a file whose name ends in {ending} is allowed")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise SettingError(f"{option} {path}: {path.parent} is not a folder that can be written to")


def _shown(path: Path) -> str:
    """A file as a person calls it: from here, where it lies below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
