"""A model that keeps its contract is run, every way to break it is told, and what a logit means is exact."""

import hashlib
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from consumer.adapters.model import Model, labels, load, probabilities
from season.contract import ContractError
from season.labels import LABELS

METADATA = {
    "season.name": "tiny",
    "season.labels": '["winter", "summer"]',
    "season.threshold": "0.25",
    "season.time_zone": "Europe/Rome",
    "season.day_start": "06:00",
}
Shape = Sequence[int | str]


def network(
    shape_in: Shape = ("batch", 1, 24),
    shape_out: Shape = ("batch", 1),
    kind: int = TensorProto.FLOAT,
    nodes: Sequence[Any] | None = None,
    inputs: int = 1,
    outputs: int = 1,
) -> onnx.ModelProto:
    """A linear model, the sum of the steps over 24 less 10, or what is asked for in its place."""
    weights = numpy_helper.from_array(np.full((24, 1), 1 / 24, np.float32), "weights")
    bias = numpy_helper.from_array(np.full(1, -10.0, np.float32), "bias")
    axes = numpy_helper.from_array(np.array([1]), "axes")
    usual = [
        helper.make_node("Squeeze", ["steps", "axes"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logit"]),
    ]
    extra = [helper.make_node("Identity", ["logit"], [f"logit{i}"]) for i in range(1, outputs)]
    graph = helper.make_graph(
        [*(usual if nodes is None else nodes), *extra],
        "graph",
        [helper.make_tensor_value_info("steps" + str(i or ""), kind, shape_in) for i in range(inputs)],
        [helper.make_tensor_value_info("logit" + str(i or ""), kind, shape_out) for i in range(outputs)],
        [weights, bias, axes],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def write(path: Path, model: onnx.ModelProto | None = None, metadata: dict[str, str] | None = None) -> str:
    """Writes a model to a file."""
    model = model or network()
    helper.set_model_props(model, METADATA if metadata is None else metadata)
    path.write_bytes(model.SerializeToString())
    return str(path)


def odd() -> onnx.ModelProto:
    """A model that fails on some windows: it adds a row of weights chosen by the largest step, and has 24 of them."""
    nodes = [
        helper.make_node("Squeeze", ["steps", "axes"], ["flat"]),
        helper.make_node("ReduceMax", ["flat"], ["max"], keepdims=0),
        helper.make_node("Constant", [], ["hundred"], value_float=100.0),
        helper.make_node("Div", ["max", "hundred"], ["hundreds"]),
        helper.make_node("Cast", ["hundreds"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["weights", "index"], ["row"]),
        helper.make_node("MatMul", ["flat", "weights"], ["product"]),
        helper.make_node("Add", ["product", "row"], ["logit"]),
    ]
    return network(nodes=nodes)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """The tiny model."""
    return load(write(tmp_path / "tiny.onnx"))


def refusal(path: str, overrides: dict[str, str] | None = None) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(ContractError) as caught:
        load(path, overrides)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_a_model_says_what_it_is(model: Model, tmp_path: Path) -> None:
    """Contract from the metadata, version from the bytes, the path as it was given."""
    said = model.contract
    assert (said.name, said.labels, said.threshold) == ("tiny", LABELS, 0.25)
    assert (said.time_zone, said.day_start) == ("Europe/Rome", "06:00")
    digest = hashlib.sha256((tmp_path / "tiny.onnx").read_bytes()).hexdigest()
    assert (model.version, model.path) == (digest[:12], str(tmp_path / "tiny.onnx"))


def test_settings_stand_before_what_the_file_says(tmp_path: Path) -> None:
    """MODEL_THRESHOLD, WINDOW_TIME_ZONE and WINDOW_DAY_START; an empty one says nothing."""
    path = write(tmp_path / "tiny.onnx")
    said = load(path, {"threshold": "0.5", "time_zone": "Asia/Kolkata", "day_start": ""}).contract
    assert (said.threshold, said.time_zone, said.day_start) == (0.5, "Asia/Kolkata", "06:00")


def test_where_nobody_says_anything_there_are_defaults(tmp_path: Path) -> None:
    """The file's name without its ending, the two labels, one half, midnight; the time zone has none."""
    path = write(tmp_path / "plain.v2.onnx", metadata={})
    said = load(path, {"time_zone": "Europe/Rome"}).contract
    assert (said.name, said.labels, said.threshold, said.day_start) == ("plain.v2", LABELS, 0.5, "00:00")
    assert "WINDOW_TIME_ZONE" in refusal(path)


def test_scores_are_the_networks(model: Model) -> None:
    """Logits as 32-bit floats [n], one a window; no window, no logit."""
    steps = np.arange(72.0).reshape(3, 24)
    logits = model.score(steps)
    assert logits.dtype == np.float32
    assert logits.shape == (3,)
    assert logits.tolist() == pytest.approx([1.5, 25.5, 49.5])
    assert model.score(np.empty((0, 24))).shape == (0,)


def test_a_windows_logit_does_not_depend_on_its_batch(model: Model) -> None:
    """One by one and all at once are the same bits."""
    steps = np.random.default_rng(0).normal(20000, 5000, (257, 24))
    alone = np.concatenate([model.score(row[np.newaxis]) for row in steps])
    assert model.score(steps).tobytes() == alone.tobytes()


def test_a_window_that_the_model_cannot_compute_stops_no_other(tmp_path: Path) -> None:
    """An error inside the graph becomes NaN for that window alone."""
    model = load(write(tmp_path / "odd.onnx", odd()))
    steps = np.arange(48.0).reshape(2, 24)
    steps[1] += 5000
    logits = model.score(steps)
    assert np.isfinite(logits[0])
    assert np.isnan(logits[1])


@pytest.mark.parametrize(
    ("broken", "part"),
    [
        (network(("batch", 24), nodes=[helper.make_node("MatMul", ["steps", "weights"], ["logit"])]), "input"),
        (network((1, 1, 24), (1, 1)), "input"),
        (network(inputs=2), "input"),
        (network(outputs=2), "output"),
        (network(kind=TensorProto.DOUBLE, nodes=[helper.make_node("ReduceSum", ["steps"], ["logit"])]), "input"),
        (
            network(shape_out=("batch", 1, 1), nodes=[helper.make_node("MatMul", ["steps", "weights"], ["logit"])]),
            "output",
        ),
        (network(("batch", 1, "steps")), "input"),
    ],
)
def test_a_shape_that_breaks_the_contract_is_told(tmp_path: Path, broken: onnx.ModelProto, part: str) -> None:
    """The sentence names the setting, the file and the part."""
    path = write(tmp_path / "broken.onnx", broken)
    assert refusal(path).startswith(f"MODEL_PATH={path}: {part}: ")


def test_what_the_file_says_of_its_shapes_is_tried(tmp_path: Path) -> None:
    """A batch that is dynamic on paper only, and an output that does not grow with it, are refused."""
    # What it adds is a row chosen by the size of the batch, and there are two rows, 0 and 1.
    fixed = network(nodes=[
        helper.make_node("Shape", ["steps"], ["batch"], end=1),
        helper.make_node("Gather", ["rows", "batch"], ["row"]),
        helper.make_node("Squeeze", ["steps", "axes"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["product"]),
        helper.make_node("Add", ["product", "row"], ["logit"]),
    ])  # fmt: skip
    fixed.graph.initializer.append(numpy_helper.from_array(np.ones((2, 1), np.float32), "rows"))
    assert "input: a batch of 2 fails: " in refusal(write(tmp_path / "fixed.onnx", fixed))
    first = network(nodes=[
        helper.make_node("Squeeze", ["steps", "axes"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["product"]),
        helper.make_node("Compress", ["product", "yes"], ["logit"], axis=0),
    ])  # fmt: skip
    first.graph.initializer.append(numpy_helper.from_array(np.ones(1, np.bool_), "yes"))
    assert "output: a batch of 2 gives the shape [1, 1]" in refusal(write(tmp_path / "first.onnx", first))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("labels", '["summer", "winter"]'),
        ("labels", "winter,summer"),
        ("threshold", "1.5"),
        ("threshold", "nan"),
        ("threshold", "half"),
        ("time_zone", "Mars/Olympus"),
        ("day_start", "6:30"),
        ("metrics", "[]"),
    ],
)
def test_metadata_that_breaks_the_contract_is_told(tmp_path: Path, field: str, value: str) -> None:
    """The sentence names the setting, the file and the part, or the setting that said it."""
    path = write(tmp_path / "tiny.onnx", metadata={**METADATA, f"season.{field}": value})
    assert refusal(path).startswith(f"MODEL_PATH={path}: season.{field}: ")


@pytest.mark.parametrize(
    ("field", "value", "setting"),
    [
        ("threshold", "2", "MODEL_THRESHOLD"),
        ("time_zone", "Mars/Olympus", "WINDOW_TIME_ZONE"),
        ("day_start", "06:30", "WINDOW_DAY_START"),
    ],
)
def test_a_wrong_setting_is_named_in_the_models_place(tmp_path: Path, field: str, value: str, setting: str) -> None:
    """Where a setting says it, the sentence is about the setting."""
    sentence = refusal(write(tmp_path / "tiny.onnx"), {field: value})
    assert sentence.startswith(f"{setting}={value}: ")
    assert "MODEL_PATH" not in sentence


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    """Missing, a folder, empty, half written, text: one sentence each, and no version of it runs."""
    whole = network().SerializeToString()
    paths = [tmp_path / "missing.onnx", tmp_path, tmp_path / "empty", tmp_path / "half", tmp_path / "text"]
    for path, data in zip(paths[2:], (b"", whole[: len(whole) // 2], b"<html>\x00\xff" * 50), strict=True):
        path.write_bytes(data)
    sentences = [refusal(str(path), {"time_zone": "UTC"}) for path in paths]
    for path, sentence in zip(paths, sentences, strict=True):
        assert sentence.startswith(f"MODEL_PATH={path}: ")
        assert len(sentence) < 600
    assert "the file cannot be read (No such file or directory); an ONNX file is allowed" in sentences[0]


def test_external_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose weights lie in another is refused, also where that other stands beside it and is found."""
    path = tmp_path / "split.onnx"
    model = network()
    helper.set_model_props(model, METADATA)
    onnx.save_model(model, str(path), save_as_external_data=True, location="split.data", size_threshold=50)
    monkeypatch.chdir(tmp_path)
    assert (tmp_path / "split.data").exists()
    sentence = refusal("split.onnx")
    assert "no external data" in sentence
    assert "Squeeze" not in sentence


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_probabilities_are_the_sigmoid_in_64_bits(logits: list[float]) -> None:
    """Within an ulp or two of the exact value, monotonous, between 0 and 1, and without a warning at the ends."""
    found = probabilities(np.array(logits, np.float32))
    for logit, probability in zip(logits, found.tolist(), strict=True):
        expected = 1 / (1 + math.exp(-logit)) if logit > -700 else math.exp(max(logit, -800))
        assert probability == pytest.approx(expected, rel=1e-14, abs=1e-300)
        assert 0 <= probability <= 1


def test_winter_is_from_the_threshold_on() -> None:
    """A probability that equals the threshold is winter."""
    winter = np.array([0.0, np.nextafter(0.25, 0), 0.25, 1.0])
    assert labels(winter, 0.25) == ["summer", "summer", "winter", "winter"]
    assert labels(probabilities(np.zeros(1, np.float32)), 0.5) == ["winter"]


def test_the_runtime_writes_nothing(tmp_path: Path) -> None:
    """No model, good or broken or failing, makes ONNX Runtime write where the log is; onnx is not needed."""
    write(tmp_path / "good.onnx")
    write(tmp_path / "odd.onnx", odd())
    (tmp_path / "bad.onnx").write_bytes(b"bad")
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from consumer.adapters.model import load\n"
        "load('good.onnx')\n"
        "assert np.isnan(load('odd.onnx').score(np.full((2, 24), 5000.0))).all()\n"
        "try: load('bad.onnx')\n"
        "except ValueError: pass\n"
        "assert 'onnx' not in sys.modules and 'torch' not in sys.modules\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
