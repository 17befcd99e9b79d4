"""Files of other code bases become models of the contract, or are refused with a sentence; nothing is guessed."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from consumer.adapters.model import load
from season import cli
from season.settings import SettingError
from season.steps import STEPS
from tests.made_models import too_new
from training.command_line import main
from training.figures import F32, sigmoid
from training.foreign import GIVES
from training.model import LoadedModel

RANDOM = np.random.default_rng(3)
WEIGHTS = RANDOM.normal(size=(STEPS, 2)) / 5
DAYS = np.cumsum(RANDOM.normal(size=(50, STEPS)), axis=1)
LAYOUTS = {"flat": [STEPS], "channels first": [1, STEPS], "channels last": [STEPS, 1], "image": [1, 1, STEPS]}


def foreign(
    path: Path,
    layout: Sequence[int] = (STEPS,),
    gives: str = "logit",
    kind: int = TensorProto.FLOAT,
    batch: int | str = "n",
    opset: int = 15,
    inside: int = -1,
) -> Path:
    """A file as another framework might write it: one product, then what `gives` says; its Reshape is to `inside`."""
    columns = 2 if gives in {"logits", "probabilities"} else 1
    number = np.float64 if kind == TensorProto.DOUBLE else np.float32
    nodes = [
        helper.make_node("Reshape", ["input", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["product"]),
    ]
    after = {"probability": "Sigmoid", "probabilities": "Softmax"}.get(gives, "Identity")
    nodes.append(helper.make_node(after, ["product"], ["output"]))
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("input", kind, [batch, *layout])],
        [helper.make_tensor_value_info("output", kind, [batch, columns])],
        [
            numpy_helper.from_array(np.array([inside, STEPS], np.int64), "shape"),
            numpy_helper.from_array(WEIGHTS[:, :columns].astype(number), "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, path)
    return path


def status(*arguments: object) -> int:
    """The exit status of `training adopt`."""
    return cli.run(lambda: main(["adopt", *map(str, arguments)]))


def logits(gives: str, winter: int, ddof: int | None, days: np.typing.NDArray[np.float64]) -> F32:
    """What has to come out, by hand."""
    if ddof is not None:
        days = (days - days.mean(axis=1, keepdims=True)) / days.std(axis=1, keepdims=True, ddof=ddof)
    product = days @ WEIGHTS
    if gives in {"logit", "probability"}:
        return product[:, 0].astype(np.float32)
    return (product[:, winter] - product[:, 1 - winter]).astype(np.float32)


FORMS = [
    (layout, gives, number % 2, (None, 0, 1)[number // 2 % 3])
    for number, (layout, gives) in enumerate(itertools.product(LAYOUTS.values(), [*GIVES, *GIVES]))
]


@pytest.mark.parametrize(("layout", "gives", "winter", "ddof"), FORMS)
def test_every_form_becomes_the_logit_of_winter(
    tmp_path: Path, layout: list[int], gives: str, winter: int, ddof: int | None
) -> None:
    """Whatever the layout, what it gives and what it expects: the service loads it and reads the same answers."""
    file, out = foreign(tmp_path / "theirs.onnx", layout, gives), tmp_path / "ours.onnx"
    places = ["--winter", winter] if gives in {"logits", "probabilities"} else []
    how = ["--gives", gives, *places, *([] if ddof is None else ["--normalised", ddof])]
    named = ["--time-zone", "Europe/Oslo", "--day-start", "06:00", "--threshold", "0.4", "--name", "theirs"]
    assert status(file, *how, *named, "--out", out) == 0
    model = load(str(out))
    contract = model.contract
    assert (contract.name, contract.time_zone, contract.day_start) == ("theirs", "Europe/Oslo", "06:00")
    assert contract.threshold == 0.4
    days = DAYS if ddof is None else 30000 + 5000 * DAYS
    wanted = logits(gives, winter, ddof, days)
    assert np.allclose(sigmoid(model.score(days)), sigmoid(wanted), atol=1e-4)
    alone = np.concatenate([model.score(day[None]) for day in days])
    assert np.allclose(model.score(days), alone, atol=1e-5)  # ONNX Runtime's Log and Sigmoid: not to the last bit


def test_doubles_and_a_fixed_batch_are_taken(tmp_path: Path) -> None:
    """scikit-learn gives doubles; many exports fix the batch at 1, which the new file does not."""
    file = foreign(tmp_path / "a.onnx", kind=TensorProto.DOUBLE, batch=1, opset=11)
    assert status(file, "--gives", "logit", "--time-zone", "UTC", "--out", tmp_path / "b.onnx") == 0
    assert np.allclose(load(str(tmp_path / "b.onnx")).score(DAYS), logits("logit", 0, None, DAYS), atol=1e-4)


def test_a_sure_probability_has_a_finite_logit(tmp_path: Path) -> None:
    """Where the original says 0 or 1 the logit is large, and a number."""
    file = foreign(tmp_path / "a.onnx", gives="probability")
    assert status(file, "--gives", "probability", "--time-zone", "UTC", "--out", tmp_path / "b.onnx") == 0
    found = load(str(tmp_path / "b.onnx")).score(1e4 * DAYS)
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 15


def test_examples_are_held_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the original's makers say it gives: with winter's place wrong nothing is written, and the row is named."""
    file, out, examples = foreign(tmp_path / "a.onnx", gives="logits"), tmp_path / "b.onnx", tmp_path / "days.csv"
    wanted = sigmoid(logits("logits", 1, None, DAYS))
    np.savetxt(examples, np.column_stack([DAYS, wanted]), delimiter=",")
    given = ["--gives", "logits", "--time-zone", "UTC", "--examples", examples, "--out", out]
    assert status(file, *given) == 1
    assert "example 1 has the probability of winter" in capsys.readouterr().err
    assert not out.exists()
    assert status(file, *given, "--winter", "1") == 0
    assert "examples included" in capsys.readouterr().out


REFUSED = [
    ({"layout": [96]}, [], "its input is 'input' tensor(float) ['n', 96]; one input of float or double"),
    ({"layout": [2, STEPS]}, [], "['n', 2, 24]"),
    ({"batch": 32}, [], "[32, 24]; one input of float or double, [batch, 24], with 1s before or after the 24"),
    (
        {"batch": 1, "inside": 1},
        [],
        "a.onnx: wrapped, it does not take two days at once; mostly a batch that is",
    ),
    (
        {"kind": TensorProto.FLOAT, "gives": "logits"},
        [],
        "its outputs are 'output' tensor(float) ['n', 2]; for --gives",
    ),
    ({}, ["--output", "other"], "--output where there are several"),
    ({"opset": 8}, [], "it is of opset 8; export it with opset 9 or later"),
    ({}, ["--time-zone", "Mars"], "--time-zone: time zone 'Mars'"),
    ({}, ["--gives", "probability"], "its output 'output' gives "),
    ({"gives": "logits"}, ["--gives", "probabilities"], "--gives probabilities is two numbers that add up to 1"),
    ({}, ["--winter", "1"], "--winter 1: --gives logit is one number, which has to be winter's"),
    ({}, ["--name", "\udcff"], "--name: its bytes are not UTF-8"),
    ({}, ["--name", "x" * 201], "--name: as a model's name 'xxx"),
    ({}, ["--examples", "no.csv"], "--examples no.csv: "),
    ({}, ["--out", "a.onnx"], "--out a.onnx: it is the file to wrap; another one is allowed"),
    ({}, ["--out", "b.bin"], "--out b.bin: a file whose name ends in .onnx"),
]


@pytest.mark.parametrize(("form", "more", "sentence"), REFUSED)
def test_what_cannot_be_wrapped_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    form: dict[str, object],
    more: list[str],
    sentence: str,
) -> None:
    """Status 2 and one sentence that says what is there and what is allowed; nothing is written."""
    monkeypatch.chdir(tmp_path)
    file = foreign(tmp_path / "a.onnx", **form)  # type: ignore[arg-type]
    assert status(file, "--gives", "logit", "--time-zone", "UTC", "--out", "b.onnx", *more) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


EXAMPLES = [
    ("", ": it is empty"),
    ("a,b", ":1: could not convert string to float: 'a'"),
    (",".join(["1"] * 24), ":1: it has 24 numbers"),
    ("\n" + ",".join(["1"] * 23 + ["nan", "0.5"]), ":2: one of its numbers is not finite"),
    (",".join(["1"] * 24 + ["1.5"]), ":1: its probability is 1.5"),
]


@pytest.mark.parametrize(("text", "sentence"), EXAMPLES)
def test_examples_that_are_none_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    """The line, and what is allowed."""
    file, examples = foreign(tmp_path / "a.onnx"), tmp_path / "days.csv"
    examples.write_text(text)
    given = ["--gives", "logit", "--time-zone", "UTC", "--examples", examples, "--out", tmp_path / "b.onnx"]
    assert status(file, *given) == 2
    assert f"days.csv{sentence}; rows of 24 finite values and a probability, with commas, are allowed" in (
        capsys.readouterr().err
    )


def test_a_file_without_finite_answers_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The service would publish not one prediction of it."""
    file = foreign(tmp_path / "a.onnx")
    model = onnx.load(file)
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.full((STEPS, 1), np.nan, np.float32), "weights"))
    onnx.save(model, file)
    assert status(file, "--gives", "logit", "--time-zone", "UTC", "--out", tmp_path / "b.onnx") == 2
    assert "a.onnx: its logit is not finite for any of 64 generated days" in capsys.readouterr().err


def test_an_output_of_another_size_than_it_says_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the graph does not tell the size of its output, a day does."""
    file = foreign(tmp_path / "a.onnx", gives="logits")
    model = onnx.load(file)
    del model.graph.node[-1]
    model.graph.node.extend(
        [
            helper.make_node("ReduceMax", ["flat"], ["largest"], keepdims=0),
            helper.make_node("Mul", ["largest", "zeros"], ["nothing"]),
            helper.make_node("Add", ["nothing", "sizes"], ["size"]),
            helper.make_node("Cast", ["size"], ["whole"], to=TensorProto.INT64),
            helper.make_node("Reshape", ["product", "whole"], ["output"]),
        ]
    )
    for name, values in (("zeros", [0, 0]), ("sizes", [-1, 2])):
        model.graph.initializer.append(numpy_helper.from_array(np.array(values, np.float32), name))
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, file)
    assert status(file, "--gives", "logit", "--time-zone", "UTC", "--out", tmp_path / "b.onnx") == 2
    assert "for a day; --gives logit is one number" in capsys.readouterr().err


def test_branches_that_use_the_graphs_weights_are_taken(tmp_path: Path) -> None:
    """An If whose branches reach for what stands outside of them, and names like ours: theirs stay as they are."""
    branches = [
        helper.make_graph(
            [helper.make_node("MatMul", ["flat", weights], [f"product {weights}"])],
            weights,
            [],
            [helper.make_tensor_value_info(f"product {weights}", TensorProto.FLOAT, ["n", 1])],
        )
        for weights in ("season/load", "other")
    ]
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["load", "shape"], ["flat"]),
            helper.make_node("If", ["yes"], ["winter_logit"], then_branch=branches[0], else_branch=branches[1]),
        ],
        "foreign",
        [helper.make_tensor_value_info("load", TensorProto.FLOAT, ["n", STEPS, 1])],
        [helper.make_tensor_value_info("winter_logit", TensorProto.FLOAT, ["n", 1])],
        [
            numpy_helper.from_array(np.array([-1, STEPS], np.int64), "shape"),
            numpy_helper.from_array(np.array(True), "yes"),
            numpy_helper.from_array(WEIGHTS[:, :1].astype(np.float32), "season/load"),
            numpy_helper.from_array(WEIGHTS[:, 1:].astype(np.float32), "other"),
        ],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8), tmp_path / "a.onnx"
    )
    given = ["--gives", "logit", "--time-zone", "UTC", "--out", tmp_path / "b.onnx"]
    assert status(tmp_path / "a.onnx", *given) == 0
    assert np.allclose(load(str(tmp_path / "b.onnx")).score(DAYS), logits("logit", 0, None, DAYS), atol=1e-4)


def test_what_does_not_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A graph whose fault only a run shows: a day does not fall into fives."""
    file = foreign(tmp_path / "a.onnx")
    model = onnx.load(file)
    model.graph.node.insert(0, helper.make_node("Reshape", ["input", "fives"], ["rows"]))
    model.graph.node[1].input[0] = "rows"
    model.graph.initializer.append(numpy_helper.from_array(np.array([-1, 5], np.int64), "fives"))
    onnx.save(model, file)
    assert status(file, "--gives", "logit", "--time-zone", "UTC", "--out", tmp_path / "b.onnx") == 2
    assert "a.onnx: ONNX Runtime cannot run a day through it (" in capsys.readouterr().err


def test_what_is_no_onnx_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """So is a file that is not there."""
    (tmp_path / "a.onnx").write_bytes(b"\x08\x07 nothing")
    for name, sentence in (("a.onnx", "ONNX Runtime cannot read it"), ("c.onnx", "No such file")):
        given = ["--gives", "logit", "--time-zone", "UTC", "--out", tmp_path / "b.onnx"]
        assert status(tmp_path / name, *given) == 2
        assert sentence in capsys.readouterr().err


def test_a_file_that_is_too_new_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By adopt and by evaluate, with its version and the newest that ONNX Runtime takes."""
    file = tmp_path / "a.onnx"
    for model, says in (
        (too_new(ir=99), "its IR version is 99, newer than "),
        (too_new(opset=99), "its opset of ai.onnx is 99, newer than "),
    ):
        onnx.save(model, file)
        given = ["--gives", "logit", "--time-zone", "UTC", "--out", tmp_path / "b.onnx"]
        assert status(file, *given) == 2
        assert f"{file}: ONNX Runtime cannot read it ({says}" in capsys.readouterr().err
        with pytest.raises(SettingError, match=re.escape(says)):
            LoadedModel.load(file)
