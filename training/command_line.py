"""The trainer's command line: what a user may type for `train`, `evaluate`, `export` and `adopt`."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import get_args

from season import files
from season.cli import add_version, called
from season.contract import ContractError
from season.installed import checkout, default_model
from season.settings import SettingError
from training.errors import FailedError
from training.foreign import GIVES
from training.recipes import Architecture

ROOT = Path(__file__).absolute().parent.parent
DATA = str(ROOT / "data" / "italy_load_2015_2021.csv")
MODEL = ROOT / "models" / "season_classifier.onnx"
# How this repository's own file is to be read; of another one the options say it, as in the producer.
ITALY = {"zone": "IT", "demand_column": "load_mw"}


def main(arguments: Sequence[str]) -> int:
    """Run one command. Status 1: a row cannot be read, or the model was not written."""
    options = parse(arguments)
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime reports its starts to its maker else
    # torch, ONNX Runtime and matplotlib take seconds to import: not for --help or a wrong option.
    from training import commands  # noqa: PLC0415

    try:
        if options.command == "train":
            commands.train(options, None, _shown(options, arguments))
        elif options.command == "evaluate":
            commands.evaluate(options)
        elif options.command == "export":
            commands.export(options)
        else:
            commands.adopt(options, _shown(options, arguments))
    except FailedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except ContractError as error:
        raise SettingError(f"{_named(options)}: {error}") from None
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of one command."""
    name = "season-train"
    parser = argparse.ArgumentParser(prog=called("training", name), description="Makes the model and its card.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="learn from a file of readings, evaluate, export"))
    _add_evaluate(commands.add_parser("evaluate", help="hold a model to a file of readings, write its card"))
    _add_export(commands.add_parser("export", help="turn a checkpoint into an ONNX file"))
    _add_adopt(commands.add_parser("adopt", help="wrap another code base's ONNX file to the contract"))
    for each in (parser, *commands.choices.values()):
        add_version(each, name)
    options = parser.parse_args(arguments)
    if checkout() is None:
        _check_named(options)
    if options.command != "adopt" and options.data == DATA:
        for name, value in (ITALY | files.given(options)).items():
            setattr(options, name, value)
    return options


def _check_named(options: argparse.Namespace) -> None:
    """Raise SettingError for a file that only a checkout of the repository has a default for."""
    if options.command != "adopt" and options.data == DATA:
        raise SettingError(
            "--data: a file is needed here, or - for standard input; Italy's readings are in the repository"
        )
    if options.command in {"train", "export"} and options.out == MODEL:
        raise SettingError("--out: the ONNX file to write is needed here, outside of the repository")
    if options.command == "evaluate" and options.model == MODEL:
        options.model = Path(default_model())
        if options.card is None:
            raise SettingError("--card: a file is needed here, since the default is beside the package's own model")


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Learns from all years of a file of readings but the last, tests once on that, and writes the ONNX file and "
        "beside it a checkpoint (.pt) and the card (.md, .png). Of a file of the UCR archive it learns from every "
        "row. --time-zone is the windows' too; its default is Europe/Rome."
    )
    _add_reading(parser)
    parser.add_argument(
        "--test", metavar="FILE", help="another file, to test on (of the archive's …_TRAIN the …_TEST beside it)"
    )
    parser.add_argument(
        "--day-start",
        help="the hour at which a window begins (00:00; of the archive's rows 23:00)",
    )
    parser.add_argument(
        "--architecture",
        choices=get_args(Architecture),
        help="the network to learn (mlp; of the archive's rows convolution)",
    )
    parser.add_argument("--seed", type=_seed, default=0, help="all that is random follows from it (%(default)s)")
    _add_out(parser)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Scores the days of a file of readings and writes the model's card. Of the file that the model learned "
        "from only the days kept for the test count, unless --since or --until says others. The windows' time "
        "zone and day start are the model's, and so is the default of --time-zone."
    )
    parser.add_argument("--model", type=Path, default=MODEL, help="the ONNX file (this repository's)")
    _add_reading(parser)
    parser.add_argument("--card", type=Path, help="the card to write, a .md file (beside the model)")


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Writes a checkpoint of `train` as an ONNX file that keeps the model contract, once ONNX Runtime gives "
        "PyTorch's logits for all days of a file of readings."
    )
    parser.add_argument(
        "--checkpoint", type=Path, required=True, help="a .pt file of `train`, or weights alone (a state_dict)"
    )
    parser.add_argument(
        "--architecture",
        choices=("mlp", "tutorial"),
        help="the network whose weights they are, where the checkpoint does not say it (mlp)",
    )
    parser.add_argument(
        "--day-start", help="of weights alone, as their --time-zone (Europe/Rome): where their windows begin (00:00)"
    )
    _add_reading(parser)
    _add_out(parser)


def _add_adopt(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Wraps an ONNX file with one input of float or double, [batch, 24], [batch, 24, 1] or with other 1s: its "
        "layout, the normalisation that it expects and the logit of winter become part of the graph. Written only "
        "where the new file gives what the old one gives."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the ONNX file to wrap")
    parser.add_argument(
        "--gives",
        required=True,
        choices=GIVES,
        help="what its output is: of winter, or of two classes",
    )
    parser.add_argument("--winter", type=int, choices=(0, 1), help="of two classes, winter's place (0)")
    parser.add_argument("--output", help="which output, where it has several that fit")
    parser.add_argument(
        "--normalised",
        choices=("0", "1"),
        help="it expects days of mean 0 and deviation 1, of this ddof",
    )
    parser.add_argument("--examples", type=Path, help="rows with commas: 24 values, and winter's probability")
    parser.add_argument("--name", help="what the model is called (the file's name)")
    parser.add_argument("--threshold", type=_share, default=0.5, help="winter from this probability on (%(default)s)")
    parser.add_argument("--time-zone", required=True, help="of its days, such as Europe/Rome")
    parser.add_argument("--day-start", help="the hour at which its days begin (00:00)")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        default=DATA,
        help="the file of readings, or of the UCR archive (.ts, .tsv, .txt), - for standard input (Italy's)",
    )
    files.add_options(parser)


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=MODEL, help="the ONNX file to write (this repository's)")


def _share(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (share := float(text)) <= 1:
            return share
    raise argparse.ArgumentTypeError(f"{text!r} is not allowed; a number between 0 and 1 is")


def _seed(text: str) -> int:
    with suppress(ValueError):
        if 0 <= (seed := int(text)) < 2**63:
            return seed
    raise argparse.ArgumentTypeError(f"{text!r} is not allowed; a whole number from 0 to 2**63 - 1 is")


def _named(options: argparse.Namespace) -> str:
    """Return the model that a command is about, as the user named it."""
    return f"--model {options.model}" if options.command == "evaluate" else f"--out {options.out}"


def _shown(options: argparse.Namespace, arguments: Sequence[str]) -> str:
    """Return the command as the card shows it, without folders outside of this repository."""
    paths = {str(getattr(options, name, None) or "") for name in ("data", "test", "file", "examples", "out")} - {""}
    return shlex.join(["python", "-m", "training", *(_without_folders(word, paths) for word in arguments)])


def _without_folders(word: str, paths: Set[str]) -> str:
    """Return a word of the command line; a path (`PATH` or `--option=PATH`) without the machine's folders."""
    option, equals, path = word.partition("=") if word.startswith("-") else ("", "", word)
    if path not in paths:
        return word
    absolute = Path(path).absolute()
    return f"{option}{equals}{absolute.relative_to(ROOT) if absolute.is_relative_to(ROOT) else Path(path).name}"
