"""The trainer's commands: each reads its input, does its work, and prints the result."""

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
from torch import nn

from season import files
from season.calendar import Calendar
from season.contract import Contract, check_name
from season.settings import SettingError, check_text
from training import adopt as wrapping
from training import archive, card, days
from training.evaluate import LEARNED_FROM, TEST, Evaluation, hold
from training.export import Checkpoint, replacing, restore, save, write
from training.figures import figures
from training.foreign import Foreign
from training.model import COMMAND, LoadedModel
from training.recipes import Configuration, recipe
from training.train import learn, logits_of

THRESHOLD = 0.5
TIME_ZONE = "Europe/Rome"


def train(options: argparse.Namespace, configuration: Configuration | None, command: str) -> None:
    """Train, and write the model to `options.out`, with the checkpoint and the card in the same folder.

    Without a configuration the recipe is the data's and the architecture's.
    """
    _check_writable("--out", options.out, ".onnx")
    began = time.monotonic()
    source = _load(options, *(_cut(options, usual) for usual in ("00:00", archive.WINDOWS.day_start)))
    known, test = _parts(options, source)
    _check_used(options, source, test)
    configuration = configuration or recipe(options.architecture, source.archive, options.seed)
    against = "no other days, so the figures are of the same" if test is None else _span(test.days)
    _say(f"learning from {_span(known)}; testing on {against}")
    network = learn(configuration, known)
    contract = Contract(
        name=_name(source, configuration, options.out),
        threshold=THRESHOLD,
        time_zone=source.windows.time_zone,
        day_start=source.windows.day_start,
        training_data=source.name,
        training_data_sha256=source.sha256,
        metrics=_metrics(network, source, known, test),
    )
    checkpoint = Checkpoint(network, configuration, contract, command)
    _write(checkpoint, source, options.out)
    save(checkpoint, options.out.with_suffix(".pt"))
    evaluation = hold(LoadedModel.load(options.out), test or source, every_day=False)
    _say_figures(evaluation, options.out.with_suffix(".md"))
    seen = "that it learned from" if test is None else "that it had never seen"
    _say(
        f"{_shown(options.out)}: {evaluation.figures.accuracy:.2%} of {len(evaluation.days)} days {seen} are right; "
        f"made in {time.monotonic() - began:.0f} s"
    )


def evaluate(options: argparse.Namespace) -> None:
    """Evaluate a model on the days of a file and write its card."""
    path = options.card if options.card is not None else options.model.with_suffix(".md")
    model = LoadedModel.load(options.model)
    _check_writable("--card", path, ".md")
    source = _load(options, _windows_of(model.contract))
    _check_used(options, source)
    declared, made = source.windows, _windows_of(model.contract)
    if (declared.time_zone, declared.day_start) != (made.time_zone, made.day_start):
        _say(
            f"the days of {source.name} begin at {declared.day_start} in {declared.time_zone}, the model's at "
            f"{model.contract.day_start} in {model.contract.time_zone}: it was not made for them"
        )
    evaluation = hold(model, source, every_day=options.since is not None or options.until is not None)
    _say_figures(evaluation, path)
    _say(f"{_shown(model.path)}: {evaluation.figures.accuracy:.2%} of {len(evaluation.days)} days are right")


def export(options: argparse.Namespace) -> None:
    """Write a checkpoint's network to `options.out`."""
    _check_writable("--out", options.out, ".onnx")
    windows = _cut(options, "00:00")
    plain = Contract(name=options.out.stem, time_zone=windows.time_zone, day_start=windows.day_start)
    checkpoint = restore(options.checkpoint, options.architecture, plain)
    if options.day_start not in {None, checkpoint.contract.day_start}:
        raise SettingError(
            f"--day-start {options.day_start}: the checkpoint says that its days begin at "
            f"{checkpoint.contract.day_start}; leave it out"
        )
    source = _load(options, _windows_of(checkpoint.contract))
    _check_used(options, source)
    _write(checkpoint, source, options.out)


def adopt(options: argparse.Namespace, command: str) -> None:
    """Wrap another code base's ONNX file and write it to `options.out`, if both give the same probabilities."""
    _check_writable("--out", options.out, ".onnx")
    if options.out.resolve() == options.file.resolve():
        raise SettingError(f"--out {options.out}: it is the file to wrap; another one is allowed")
    windows = _calendar(options.time_zone, options.day_start or "00:00")
    if options.name:
        _check_name("--name", options.name)
    contract = Contract(
        name=options.name or options.out.stem,
        threshold=options.threshold,
        time_zone=windows.time_zone,
        day_start=windows.day_start,
    )
    ddof = None if options.normalised is None else int(options.normalised)
    foreign = Foreign(options.gives, options.winter or 0, ddof, options.output)
    if options.winter is not None and foreign.columns == 1:
        raise SettingError(
            f"--winter {options.winter}: --gives {options.gives} is one number, which has to be winter's; "
            "leave it out"
        )
    original = wrapping.Original(options.file, foreign)
    examples = None if options.examples is None else wrapping.read_examples(options.examples)
    wrapped = wrapping.adopt(original)
    onnx.helper.set_model_props(wrapped, contract.metadata() | {COMMAND: command})
    with replacing(options.out) as unfinished:
        unfinished.write_bytes(wrapped.SerializeToString())
        gap = wrapping.agrees(unfinished, original, examples)
    _say(
        f"{_shown(options.out)}: {options.out.stat().st_size / 1000:.1f} kB, takes {original.input!r} and "
        f"{original.output!r} of {options.file.name}; its probabilities are the original's to {gap:.1g}, "
        f"{'examples included' if examples is not None else 'of generated days'}, in one batch and one by one"
    )


def _load(options: argparse.Namespace, windows: Calendar, rows: Calendar = archive.WINDOWS) -> days.DataSource:
    """Return the file's days; stamps without an offset are of the windows' time zone by default."""
    if options.time_zone is None:
        options.time_zone = windows.time_zone
    source = days.load(options.data, files.options(options), windows, rows)
    _say(
        f"{source.name}: {len(source.days)} whole days; {source.incomplete} that lack an hour and "
        f"{source.constant} that are constant are left out"
    )
    return source


def _check_used(options: argparse.Namespace, source: days.DataSource, test: days.DataSource | None = None) -> None:
    """Raise `SettingError` for an option that would do nothing, since no file holds readings."""
    if not source.archive or (test is not None and not test.archive):
        return
    for name, value in files.given(options).items():
        if name != "time_zone":
            raise SettingError(
                f"--{name.replace('_', '-')} {value!r}: {source.name} is a file of the UCR archive, whose rows are "
                "whole days without zones, stamps or columns; leave it out"
            )


def _parts(options: argparse.Namespace, source: days.DataSource) -> tuple[days.Days, days.DataSource | None]:
    """Return the days to learn from, and to test on: of --test's file, the archive's …_TEST, or the last year."""
    file = options.test or (_sibling(options.data) if source.archive else None)
    if file is None and not source.archive:
        known, last = days.split(source.days)
        return known, replace(source, days=last)
    days.check_seasons(source.days)
    if file is None:
        return source.days, None
    return source.days, days.load(file, files.options(options), source.windows, source.windows)


def _sibling(data: str) -> str | None:
    """Return the archive's file of days to test on that belongs to one of days to learn from."""
    file = Path(data)
    test = file.with_name(file.name.replace("_TRAIN", "_TEST"))
    return str(test) if test != file and test.is_file() else None


def _span(some: days.Days) -> str:
    return f"{some.first} to {some.last} ({len(some)} days)"


def _name(source: days.DataSource, configuration: Configuration, out: Path) -> str:
    """Return the model's name: by its data, where that is known here, else by its file."""
    name = days.NAMES.get(source.sha256)
    if name is None:
        return out.stem
    usual = recipe(None, source.archive, 0).architecture
    return name if configuration.architecture == usual else f"{name}-{configuration.architecture}"


def _write(checkpoint: Checkpoint, source: days.DataSource, path: Path) -> None:
    difference = write(checkpoint, source.days.steps, path)
    _say(
        f"{_shown(path)}: {path.stat().st_size / 1000:.1f} kB, PyTorch's logits to {difference:.1g} for "
        f"{len(source.days)} days in ONNX Runtime, in one batch and one by one"
    )


def _say_figures(evaluation: Evaluation, path: Path) -> None:
    card.write(evaluation, path)
    _say(f"\n{card.confusion(evaluation)}\n\n{card.headline(evaluation)}\ncard: {_shown(path)}")


def _metrics(
    network: nn.Module, source: days.DataSource, known: days.Days, test: days.DataSource | None
) -> dict[str, Any]:
    """Return the model's metrics: the days of each part, and how good it is on them."""
    metrics: dict[str, Any] = {LEARNED_FROM: _figures(network, known)}
    if test is not None:
        metrics[TEST] = _figures(network, test.days)
        if test.sha256 != source.sha256:
            metrics[TEST] |= {"data": test.name, "data_sha256": test.sha256}
    return metrics


def _figures(network: nn.Module, part: days.Days) -> dict[str, Any]:
    found = figures(logits_of(network, part.steps), part.winter, part.months, THRESHOLD)
    return {
        "first": part.first,
        "last": part.last,
        "days": len(part),
        "accuracy": round(found.accuracy, 4),
        "calibration_error": round(found.calibration_error, 4),
        "log_loss": round(found.log_loss, 4),
    }


def _windows_of(contract: Contract) -> Calendar:
    return Calendar(contract.time_zone, contract.day_start)


def _cut(options: argparse.Namespace, day_start: str) -> Calendar:
    """Return how days are cut: as the options say, else in Italy from `day_start` on."""
    return _calendar(options.time_zone or TIME_ZONE, options.day_start or day_start)


def _calendar(time_zone: str, day_start: str) -> Calendar:
    try:
        Calendar(time_zone)
    except ValueError as error:
        raise SettingError(f"--time-zone: {error}") from None
    try:
        return Calendar(time_zone, day_start)
    except ValueError as error:
        raise SettingError(f"--day-start: {error}") from None


def _check_name(option: str, name: str) -> None:
    check_text(option, name)
    try:
        check_name(name)
    except ValueError as error:
        raise SettingError(f"{option}: as a model's name {error}") from None


def _check_writable(option: str, path: Path, ending: str) -> None:
    """Raise at once, not after minutes of work, where a file cannot be written."""
    check_text(option, str(path))
    if ending == ".onnx":
        _check_name(option, path.stem)
    if path.suffix != ending or path.is_dir():
        raise SettingError(f"{option} {path}: a file whose name ends in {ending} is allowed")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise SettingError(f"{option} {path}: {path.parent} is not a folder that can be written to")


def _shown(path: Path) -> str:
    """Return a file's path, relative where it lies below the current folder."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
