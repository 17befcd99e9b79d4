"""The commands as a user types them: files, sentences and status; the committed card is what they write."""

import json
from pathlib import Path
from typing import get_args

import pytest

from season import cli
from season.labels import LABELS
from training import commands
from training.command_line import DATA, MODEL, ROOT, main, parse
from training.model import COMMAND, CONFIGURATION, LoadedModel
from training.recipes import Architecture, Configuration, recipe

from .made import FIRST, rows, three_years, write


def status(arguments: list[str]) -> int:
    """The exit status of one command."""
    return cli.run(lambda: main(arguments))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a short training, whole but for its length."""
    folder = tmp_path_factory.mktemp("trained")
    options = parse(
        ["train", "--data", three_years(folder / "made.csv"), "--zone", "X", "--out", str(folder / "a.onnx")]
    )
    commands.train(options, Configuration(epochs=3), "python -m training train --out a.onnx")
    return folder / "a.onnx"


def test_train_goes_the_whole_road(trained: Path) -> None:
    """Model, checkpoint, card and plot are there, and the model says its contract and what it is worth."""
    assert sorted(file.name for file in trained.parent.iterdir()) == ["a.md", "a.onnx", "a.png", "a.pt", "made.csv"]
    contract = LoadedModel.load(trained).contract
    assert (contract.name, contract.labels, contract.threshold) == ("a", LABELS, 0.5)
    assert (contract.time_zone, contract.day_start, contract.training_data) == ("Europe/Rome", "00:00", "made.csv")
    assert contract.metrics is not None
    test = contract.metrics["test"]
    assert isinstance(test, dict)
    assert (test["first"], test["last"], test["days"]) == ("2003-01-01", "2003-12-31", 365)
    assert str(trained.parent).encode() not in trained.read_bytes()


def test_evaluate_writes_the_card_that_train_wrote(trained: Path, tmp_path: Path) -> None:
    """Of the file that was learned from only the days of the test count, and the card is the same, byte by byte."""
    data = str(trained.parent / "made.csv")
    card = tmp_path / "a.md"
    assert status(["evaluate", "--model", str(trained), "--data", data, "--zone", "X", "--card", str(card)]) == 0
    assert card.read_text() == trained.with_suffix(".md").read_text()
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_evaluate_takes_the_days_that_are_asked_for(trained: Path, tmp_path: Path) -> None:
    """With --since and --until the user's days count, learned from or not."""
    data = str(trained.parent / "made.csv")
    asked = ["--zone", "X", "--since", "2001-06-01", "--until", "2001-07-01", "--card", str(tmp_path / "a.md")]
    assert status(["evaluate", "--model", str(trained), "--data", data, *asked]) == 0
    card = (tmp_path / "a.md").read_text()
    assert "of 30 days right" in card
    assert "The model learned from these days, or some of them." in card


def test_export_writes_the_model_that_train_wrote(trained: Path, tmp_path: Path) -> None:
    """From the checkpoint alone comes the same graph with the same contract: the same bytes."""
    data = str(trained.parent / "made.csv")
    arguments = [
        "--checkpoint",
        str(trained.with_suffix(".pt")),
        "--architecture",
        "mlp",
        "--data",
        data,
        "--zone",
        "X",
    ]
    assert status(["export", *arguments, "--out", str(tmp_path / "b.onnx")]) == 0
    assert (tmp_path / "b.onnx").read_bytes() == trained.read_bytes()


ARCHIVES = ["--data", str(ROOT / "data" / "ItalyPowerDemand_TEST.ts")]
MODELS = {MODEL.stem: [], "italy_power_demand": ARCHIVES, "tutorial": ARCHIVES}


@pytest.mark.parametrize("name", MODELS)
def test_the_committed_card_is_what_evaluate_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """No hand wrote it; at least 0.96 of the days, which the model never saw, are right, and it was made for them."""
    model, card = MODEL.with_stem(name), tmp_path / f"{name}.md"
    assert status(["evaluate", "--model", str(model), *MODELS[name], "--card", str(card)]) == 0
    assert card.read_text() == model.with_suffix(".md").read_text()
    assert model.with_suffix(".png").is_file()
    printed = capsys.readouterr().out
    assert "not made for them" not in printed
    assert "learned from these days" not in printed
    said = printed.splitlines()[-1]
    share = float(said.partition(": ")[2].partition("%")[0])
    assert said.endswith(f"of {365 if name == MODEL.stem else 1029} days are right")
    assert share >= 96


def test_the_committed_model_learned_from_the_committed_data() -> None:
    """Name, time zone and checksum are those that the README of the data states."""
    contract = LoadedModel.load(MODEL).contract
    assert (contract.name, contract.time_zone, contract.day_start) == ("italy-load", "Europe/Rome", "00:00")
    assert f"`{contract.training_data_sha256}`" in Path(DATA).with_name("README.md").read_text()


def test_the_default_is_retrained_at_a_tenth_of_its_length(tmp_path: Path) -> None:
    """`train` without options learns the committed model's days by its recipe: one that knows 2021 comes out."""
    out = tmp_path / "short.onnx"
    whole = recipe(None, archive=False, seed=0)
    short = whole.model_copy(update={"epochs": whole.epochs // 10})
    commands.train(parse(["train", "--out", str(out)]), short, "python -m training train")
    before, after = LoadedModel.load(MODEL), LoadedModel.load(out)
    assert after.made[COMMAND] == before.made[COMMAND] == "python -m training train"
    assert json.loads(before.made[CONFIGURATION]) == json.loads(whole.model_dump_json())
    assert json.loads(after.made[CONFIGURATION]) == json.loads(short.model_dump_json())
    own = {"metrics", "name"}
    assert after.contract.model_dump(exclude=own) == before.contract.model_dump(exclude=own)
    shares = [share(model) for model in (before, after)]
    assert shares[0] > shares[1] > 0.96


def share(model: LoadedModel) -> float:
    """Of the days that the model was tested on, how many were right."""
    assert model.contract.metrics is not None
    test = model.contract.metrics["test"]
    assert isinstance(test, dict)
    assert (test["first"], test["last"], test["days"]) == ("2021-01-01", "2021-12-31", 365)
    accuracy = test["accuracy"]
    assert isinstance(accuracy, float)
    return accuracy


WRONG = [
    (["train", "--time-zone", "Europe/Roma"], "--time-zone: time zone 'Europe/Roma'"),
    (["train", "--day-start", "6:30"], "--day-start: day start '6:30'"),
    (["train", "--out", "model.bin"], "--out model.bin: a file whose name ends in .onnx"),
    (["train", "--out", "no/where/model.onnx"], "no/where is not a folder"),
    (["train", "--data", "no.csv", "--zone", "X"], "--data no.csv: No such file"),
    (["train", "--since", "2021-01-01"], "at least two calendar years are needed"),
    (["evaluate", "--model", "no.onnx"], "--model no.onnx: No such file"),
    (["evaluate", "--model", DATA], "ONNX Runtime cannot read it"),
    (["evaluate", "--card", "card.txt"], "--card card.txt: a file whose name ends in .md"),
    (["export", "--checkpoint", "no.pt", "--out", "a.onnx"], "--checkpoint no.pt: No such file"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG)
def test_what_is_wrong_gets_a_sentence(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 2 and one line that names the option, its value and what is allowed; nothing is written."""
    monkeypatch.chdir(tmp_path)
    defaults = ["--out", "a.onnx"] if arguments[0] == "train" and "--out" not in arguments else []
    assert status([*arguments, *defaults]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["train", "--seed", "-1"], ["train", "--seed", "x"], ["export"], []])
def test_options_that_argparse_refuses_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage has the status of every wrong setting."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_bad_row_ends_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As in the producer: file, line and reason."""
    data = write(tmp_path / "x.csv", [*rows(FIRST, 1), "2001-01-02T00:30:00Z,1"])
    assert status(["train", "--data", data, "--zone", "X", "--out", str(tmp_path / "a.onnx")]) == 1
    assert capsys.readouterr().err.startswith("x.csv:26: ")


def test_a_model_without_a_time_zone_is_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken contract gets the part at fault, after the option that names the file."""
    import onnx  # noqa: PLC0415

    model = onnx.load(trained)
    kept = [each for each in model.metadata_props if each.key != "season.time_zone"]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    onnx.save(model, tmp_path / "b.onnx")
    assert status(["evaluate", "--model", str(tmp_path / "b.onnx")]) == 2
    assert "b.onnx: season.time_zone: " in capsys.readouterr().err


def test_the_command_in_the_model_names_no_folder_of_the_machine(tmp_path: Path) -> None:
    """The card shows the files' names alone, but for this repository's folders: there the command runs again."""
    from training.command_line import _shown  # noqa: PLC0415

    words = ["train", "--data", f"{ROOT}/data/x.ts", "--out", f"{ROOT}/models/x.onnx"]
    assert _shown(parse(words), words) == "python -m training train --data data/x.ts --out models/x.onnx"
    words = ["train", f"--data={tmp_path}/my data.csv", "--out", f"{tmp_path}/a.onnx", "--seed", "3"]
    assert _shown(parse(words), words) == "python -m training train '--data=my data.csv' --out a.onnx --seed 3"
    words = ["train", "--data", "a", "--out", "a.onnx"]
    assert _shown(parse(words), words).endswith("train --data a --out a.onnx")


def test_the_metrics_are_json(trained: Path) -> None:
    """`season.metrics` reads back as the JSON object that `/model` shows."""
    metrics = LoadedModel.load(trained).contract.metadata()["season.metrics"]
    assert set(json.loads(metrics)) == {"learned_from", "test"}


@pytest.fixture
def rows_of_the_archive(tmp_path: Path) -> Path:
    """A file to learn from, with names that say so, and one to test on beside it."""
    lines = (ROOT / "data" / "ItalyPowerDemand_TRAIN.ts").read_text().splitlines(keepends=True)
    (tmp_path / "Some_TRAIN.ts").write_text("".join(lines[:-20]))
    (tmp_path / "Some_TEST.ts").write_text("".join([*(line for line in lines if line[0] in "#@"), *lines[-20:]]))
    return tmp_path / "Some_TRAIN.ts"


@pytest.mark.parametrize("architecture", get_args(Architecture))
def test_train_learns_from_the_archives_rows(
    rows_of_the_archive: Path, tmp_path: Path, architecture: Architecture, capsys: pytest.CaptureFixture[str]
) -> None:
    """From every row, tested on the file beside it; days begin at 23:00, and have no dates where none are known."""
    options = parse(["train", "--data", str(rows_of_the_archive), "--out", str(tmp_path / "b.onnx")])
    commands.train(options, Configuration(architecture=architecture, epochs=3), "python -m training train")
    said = capsys.readouterr().out
    assert "learning from row 0 to row 46 (47 days); testing on row 0 to row 19 (20 days)" in said
    assert said.splitlines()[-1].startswith(f"{tmp_path / 'b.onnx'}: ")
    contract = LoadedModel.load(tmp_path / "b.onnx").contract
    assert (contract.name, contract.time_zone, contract.day_start) == ("b", "Europe/Rome", "23:00")
    assert contract.metrics is not None
    assert contract.metrics["test"]["data"] == "Some_TEST.ts"  # type: ignore[index,call-overload]
    card = (tmp_path / "b.md").read_text()
    assert "By month" not in card
    assert "from row 0 to row 19" in card


def test_days_cut_at_another_hour_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The archive's days begin at 23:00, the committed model's at midnight: the figures are not worth much then."""
    data = str(ROOT / "data" / "ItalyPowerDemand_TRAIN.ts")
    assert status(["evaluate", "--data", data, "--card", str(tmp_path / "c.md")]) == 0
    said = capsys.readouterr().out
    assert "begin at 23:00 in Europe/Rome, the model's at 00:00 in Europe/Rome: it was not made for them" in said
    assert "it was not made for them" in (tmp_path / "c.md").read_text()


OF_READINGS = [
    ("--zone", "IT"),
    ("--zone-column", "area"),
    ("--time-column", "time"),
    ("--demand-column", "load"),
    ("--delimiter", ";"),
    ("--decimal", ","),
    ("--stamps", "end"),
    ("--step", "15m"),
    ("--since", "1997-01-01"),
    ("--until", "1998-01-01"),
]


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.parametrize(("option", "value"), OF_READINGS)
def test_options_that_rows_of_the_archive_have_no_use_for_are_refused(
    command: str, option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and a sentence with option, value and why: nothing that a user asks for is ignored in silence."""
    data = str(ROOT / "data" / "ItalyPowerDemand_TRAIN.ts")
    written = ["--out", str(tmp_path / "a.onnx")] if command == "train" else ["--card", str(tmp_path / "a.md")]
    assert status([command, "--data", data, option, value, *written]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{option} {value!r}: ItalyPowerDemand_TRAIN.ts is a file of the UCR archive")
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_options_of_how_days_are_cut_hold_for_the_archives_rows(rows_of_the_archive: Path, tmp_path: Path) -> None:
    """--time-zone and --day-start say which days the rows are, and the model keeps them."""
    words = ["train", "--data", str(rows_of_the_archive), "--out", str(tmp_path / "b.onnx")]
    options = parse([*words, "--time-zone", "Asia/Tokyo", "--day-start", "06:00"])
    commands.train(options, Configuration(epochs=3), "python -m training train")
    contract = LoadedModel.load(tmp_path / "b.onnx").contract
    assert (contract.time_zone, contract.day_start) == ("Asia/Tokyo", "06:00")


def test_options_of_readings_hold_for_the_one_file_that_has_them(rows_of_the_archive: Path, tmp_path: Path) -> None:
    """Of rows to learn from and readings to test on, or the other way round, the readings have a use for --zone."""
    readings, out = three_years(tmp_path / "made.csv"), str(tmp_path / "b.onnx")
    for data, test in ((str(rows_of_the_archive), readings), (readings, str(rows_of_the_archive))):
        options = parse(["train", "--data", data, "--test", test, "--zone", "X", "--out", out])
        commands.train(options, Configuration(epochs=3), "python -m training train")
        assert LoadedModel.load(tmp_path / "b.onnx").contract.training_data == Path(data).name


def test_without_days_to_test_on_the_figures_say_so(
    rows_of_the_archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are of the days that it learned from, which is no proof of anything."""
    rows_of_the_archive.with_name("Some_TEST.ts").unlink()
    options = parse(["train", "--data", str(rows_of_the_archive), "--out", str(tmp_path / "b.onnx")])
    commands.train(options, Configuration(epochs=3), "python -m training train")
    assert "of 47 days that it learned from are right" in capsys.readouterr().out
