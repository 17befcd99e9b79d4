"""A model that keeps its contract is run, every way to break it is told, and what a logit means is exact."""

import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from consumer.adapters.model import Model, labels, load, probabilities
from season.contract import ContractError
from season.labels import LABELS
from tests.made_models import METADATA, endless, endless_at, network, odd, too_new, write


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


def test_a_window_with_which_the_model_comes_to_no_end_stops_no_other(tmp_path: Path) -> None:
    """No trial reaches every day: the run is ended, and that window alone has NaN."""
    model = load(write(tmp_path / "endless.onnx", endless_at(77_777)))
    steps = np.arange(48.0).reshape(2, 24)
    steps[1, 3] = 77_777
    logits = model.score(steps)
    assert np.isfinite(logits[0])
    assert np.isnan(logits[1])
    assert np.isfinite(model.score(steps[:1])).all()


def test_answers_of_another_shape_are_no_other_windows_answers(tmp_path: Path) -> None:
    """A model that leaves out the rows of some days: those have NaN, and no row is another window's."""
    nodes = [
        helper.make_node("Squeeze", ["steps", "axes"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["product"]),
        helper.make_node("Constant", [], ["limit"], value_float=1e35),
        helper.make_node("Less", ["product", "limit"], ["small"]),
        helper.make_node("Squeeze", ["small", "axes"], ["chosen"]),
        helper.make_node("Compress", ["product", "chosen"], ["logit"], axis=0),
    ]
    model = load(write(tmp_path / "some.onnx", network(nodes=nodes)))
    logits = model.score(np.array([[1.0], [1e36], [3.0]]) * np.ones(24))
    assert logits.tolist() == pytest.approx([1.0, math.nan, 3.0], nan_ok=True)


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


def test_only_a_file_that_ends_is_read(tmp_path: Path) -> None:
    """A pipe that nobody writes to, a device and a file of any size neither stop the service nor fill its memory."""
    pipe, huge = tmp_path / "pipe", tmp_path / "huge"
    os.mkfifo(pipe)
    with huge.open("wb") as file:
        file.truncate(2**40)
    for path in (str(pipe), "/dev/zero"):
        assert refusal(path).startswith(f"MODEL_PATH={path}: the file cannot be read (it is no regular file)")
    assert "(it is larger than 128 MiB)" in refusal(str(huge))


@pytest.mark.parametrize("text", [b"season.name", b"tiny", b"steps", b"logit", b"batch"])
def test_bytes_that_are_no_text_are_told(tmp_path: Path, text: bytes) -> None:
    """Names and metadata are bytes in the file: those that are not UTF-8 are no reason to end."""
    path = tmp_path / "bytes.onnx"
    whole = Path(write(path)).read_bytes()
    path.write_bytes(whole.replace(text, b"\xff" + text[1:]))
    says = f"MODEL_PATH={path}: a name or text in the file: it is not UTF-8 (invalid start byte)"
    assert refusal(str(path)) == says


def test_a_file_that_is_too_new_is_told(tmp_path: Path) -> None:
    """Which of its versions, which the file has, and which is the newest."""
    path, runtime = write(tmp_path / "new.onnx", too_new(ir=99)), onnxruntime.__version__
    says = f"MODEL_PATH={path}: ONNX Runtime {runtime} cannot load the file: its IR version is 99, newer than "
    assert refusal(path).startswith(says)


def test_what_would_harm_the_service_is_refused(tmp_path: Path) -> None:
    """It is tried aside: see the sandbox's own tests."""
    path = write(tmp_path / "endless.onnx", endless())
    assert refusal(path).startswith(f"MODEL_PATH={path}: tried in a process of its own: ")


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
