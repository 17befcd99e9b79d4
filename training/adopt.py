"""Wraps an ONNX file of another code base so that it keeps the model contract: nodes convert its input and output.

`adopt` builds the wrapped graph. `agrees` compares it with the original, whose output NumPy converts, and with a file
of examples.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from season.cause import cause
from season.settings import SettingError
from season.steps import F64, STEPS
from training.errors import FailedError
from training.figures import F32, sigmoid
from training.foreign import Foreign
from training.model import LoadedModel, open_session

PROBABILITY_TOLERANCE = 1e-4  # of a probability
MIN_OPSET = 9  # the opset from which every operator used here takes what is given to it here
MIN_PROBABILITY = 1e-7  # what a probability is taken for at least: its logit has to be finite in 32 bits

_MEANINGS = {
    "logit": "one number",
    "logits": "two numbers",
    "probability": "one number from 0 to 1",
    "probabilities": "two numbers that add up to 1",
}
_TYPES = {"tensor(float)": TensorProto.FLOAT, "tensor(double)": TensorProto.DOUBLE}


class Original:
    """The file as ONNX Runtime runs it. Raises `SettingError` for one that cannot be wrapped."""

    def __init__(self, path: Path, foreign: Foreign) -> None:
        self.path = path
        self.foreign = foreign
        try:
            self.proto = onnx.load(path)
            self._session = open_session(self.proto.SerializeToString())
        except OSError as error:
            raise SettingError(f"{path}: {error.strerror}; an ONNX file is needed") from None
        except Exception as error:  # onnx and ONNX Runtime raise what has no common class but this
            raise SettingError(
                f"{path}: ONNX Runtime cannot read it ({cause(error)}); an ONNX file that it reads is needed"
            ) from None
        self.input, self.layout, self.type = self._input()
        self.output = self._output()
        versions = [each.version for each in self.proto.opset_import if each.domain in {"", "ai.onnx"}]
        if versions and versions[0] < MIN_OPSET:
            raise SettingError(f"{path}: it is of opset {versions[0]}; export it with opset {MIN_OPSET} or later")

    def score(self, steps: F64) -> F64:
        """Return the logits [n] of days [n, 24], wrapped by hand in NumPy: the graph must give the same.

        Raises `SettingError` where the output is not what `foreign` says of it.
        """
        days = steps
        if self.foreign.ddof is not None:
            days = days - days.mean(axis=1, keepdims=True)
            days = days / days.std(axis=1, keepdims=True, ddof=self.foreign.ddof)
        wanted = np.float64 if self.type == TensorProto.DOUBLE else np.float32
        try:
            rows = [
                self._session.run([self.output], {self.input: day.reshape(1, *self.layout[1:]).astype(wanted)})[0]
                for day in days
            ]
        except Exception as error:  # ONNX Runtime's have no common class but this
            raise SettingError(f"{self.path}: ONNX Runtime cannot run a day through it ({cause(error)})") from None
        self._check(rows)
        given = np.concatenate(rows).reshape(len(days), -1).astype(np.float64)
        first = given[:, self.foreign.winter if self.foreign.columns == 2 else 0]
        other = given[:, 1 - self.foreign.winter] if self.foreign.columns == 2 else 1 - first
        if self.foreign.gives in {"logit", "logits"}:
            return first - (other if self.foreign.columns == 2 else 0.0)
        return np.log(np.maximum(first, MIN_PROBABILITY)) - np.log(np.maximum(other, MIN_PROBABILITY))

    def _check(self, rows: list[F32]) -> None:
        """Raise where the output `rows` cannot be what the user says that it is."""
        gives, columns = self.foreign.gives, self.foreign.columns
        for row in rows:
            wrong = row.size != columns
            if gives in {"probability", "probabilities"}:
                wrong |= bool((np.abs(row - 0.5) > 0.5 + PROBABILITY_TOLERANCE).any())
            if gives == "probabilities":
                wrong |= bool(abs(row.sum() - 1) > PROBABILITY_TOLERANCE)
            if wrong:
                found = ", ".join(f"{value:.4g}" for value in row.ravel()[:4])
                raise SettingError(
                    f"{self.path}: its output {self.output!r} gives {found} for a day; --gives {gives} is "
                    f"{_MEANINGS[gives]}"
                )

    def _input(self) -> tuple[str, list[int], int]:
        inputs = self._session.get_inputs()
        found = ", ".join(f"{each.name!r} {each.type} {each.shape}" for each in inputs) or "none"
        if not (len(inputs) == 1 and inputs[0].type in _TYPES and _is_days(inputs[0].shape)):
            raise SettingError(
                f"{self.path}: its input is {found}; one input of float or double, [batch, {STEPS}], with 1s before "
                f"or after the {STEPS} and a batch of 1 or of any size, can be wrapped"
            )
        return inputs[0].name, [-1, *inputs[0].shape[1:]], _TYPES[inputs[0].type]

    def _output(self) -> str:
        """Return the name of the output that is meant."""
        columns, outputs = self.foreign.columns, self._session.get_outputs()
        sizes = [2] if columns == 2 else []
        fitting = [
            each.name
            for each in outputs
            # A size that has no number is found out by a run.
            if each.type in _TYPES and (_sizes(each.shape) == sizes or not _is_known(each.shape))
        ]
        found = "; ".join(f"{each.name!r} {each.type} {each.shape}" for each in outputs)
        if self.foreign.output is not None:
            fitting = [name for name in fitting if name == self.foreign.output]
        if len(fitting) != 1:
            wanted = "[batch, 2]" if columns == 2 else "[batch, 1] or [batch]"
            raise SettingError(
                f"{self.path}: its outputs are {found}; for --gives {self.foreign.gives} one of float or double, "
                f"{wanted}, is needed, and --output where there are several (maps: export it without ZipMap)"
            )
        return str(fitting[0])


def adopt(original: Original) -> onnx.ModelProto:
    """Return the graph around the original's: days [batch, 1, 24] to logits [batch, 1]; without metadata."""
    theirs = original.proto
    ours, content = "season/", theirs.SerializeToString()
    while ours.encode() in content:
        ours = f"{ours[:-1]}_/"
    load, logit = f"{ours}load", f"{ours}winter_logit"
    before, after = _Builder(f"{ours}before/"), _Builder(f"{ours}after/")
    days = before.add("Reshape", load, before.shape([-1, STEPS]))
    if original.foreign.ddof is not None:
        days = before.normalised(days, original.foreign.ddof)
    days = before.add("Reshape", days, before.shape(original.layout))
    before.add("Cast", days, to=original.type, out=original.input)
    after.logit(original.output, original.foreign, logit)
    graph = helper.make_graph(
        [*before.nodes, *theirs.graph.node, *after.nodes],
        "adopted",
        [helper.make_tensor_value_info(load, TensorProto.FLOAT, ["batch", 1, STEPS])],
        [helper.make_tensor_value_info(logit, TensorProto.FLOAT, ["batch", 1])],
        [*theirs.graph.initializer, *before.constants, *after.constants],
        sparse_initializer=theirs.graph.sparse_initializer,
    )
    inside = [node for function in theirs.functions for node in (function, *function.node)]
    for noted in [graph, *graph.node, *graph.initializer, *inside]:
        del noted.metadata_props[:]
        noted.doc_string = ""
    return helper.make_model(
        graph, opset_imports=theirs.opset_import, ir_version=theirs.ir_version, functions=theirs.functions
    )


def agrees(wrapped: Path, original: Original, examples: F64 | None) -> float:
    """Return the largest difference of a probability between the wrapped file and the original.

    Held to NumPy on generated days of several sizes, and to `examples` [n, 25]: days, then the probability of winter.
    Raises `FailedError` where they differ, and `SettingError` where the original takes one day at a time alone.
    """
    days = _generated(original.foreign.ddof is not None)
    logits = original.score(days)
    finite = np.isfinite(logits)
    if not finite.any():
        raise SettingError(f"{original.path}: its logit is not finite for any of {len(days)} generated days")
    model = _load(wrapped, original)
    gap = _gap(model, days[finite], sigmoid(logits[finite].astype(np.float32)), "generated day")
    if examples is not None:
        gap = max(gap, _gap(model, examples[:, :STEPS], examples[:, STEPS], "example"))
    return gap


def read_examples(path: Path) -> F64:
    """Return rows [n, 25] of 24 values and the expected probability of winter. Raises `SettingError`."""
    allowed = f"rows of {STEPS} finite values and a probability, with commas, are allowed"
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise SettingError(f"--examples {path}: {error.strerror}; {allowed}") from None
    except UnicodeDecodeError:
        raise SettingError(f"--examples {path}: it is no text; {allowed}") from None
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                rows.append(_example(line))
            except ValueError as error:
                raise SettingError(f"--examples {path}:{number}: {error}; {allowed}") from None
    if not rows:
        raise SettingError(f"--examples {path}: it is empty; {allowed}")
    return np.array(rows)


def _example(line: str) -> list[float]:
    """Return one row [25]. Raises ValueError."""
    row = [float(field) for field in line.split(",")]
    if len(row) != STEPS + 1:
        raise ValueError(f"it has {len(row)} numbers")
    if not np.isfinite(row).all():
        raise ValueError("one of its numbers is not finite")
    if not 0 <= row[-1] <= 1:
        raise ValueError(f"its probability is {row[-1]:g}")
    return row


def _generated(normalised: bool) -> F64:
    """Return days [64, 24] of many shapes: half about 0, half loads; of several sizes where those do not count."""
    random = np.random.default_rng(0)
    shapes = np.cumsum(random.normal(size=(64, STEPS)), axis=1)
    shapes[32:] += 5 * np.abs(shapes[32:]).max(axis=1, keepdims=True)
    return shapes * 10.0 ** random.uniform(-1, 4, (64, 1)) if normalised else shapes


def _load(wrapped: Path, original: Original) -> LoadedModel:
    """Return the wrapped file, loaded: all but its batch size must be as the contract says."""
    try:
        model = LoadedModel.load(wrapped)
        model.score(np.ones((2, STEPS)))
    except Exception:  # the contract's where the graph shows it, ONNX Runtime's where only a run does
        raise SettingError(
            f"{original.path}: wrapped, it does not take two days at once; mostly a batch that is fixed inside the "
            "graph is why (a Reshape to [1, ...], say): export it with a batch of any size"
        ) from None
    return model


def _is_days(shape: Sequence[int | str | None]) -> bool:
    """Return whether a shape is that of days: [batch, 24] and 1s, the batch 1, named, unknown or -1."""
    return _sizes(shape) == [STEPS] and (not isinstance(shape[0], int) or shape[0] in {1, -1})


def _is_known(shape: Sequence[int | str | None]) -> bool:
    return all(isinstance(size, int) for size in shape[1:])


def _sizes(shape: Sequence[int | str | None]) -> list[int | str | None]:
    """Return the sizes of a shape without its batch and its 1s."""
    return [size for size in shape[1:] if size != 1]


def _gap(model: LoadedModel, days: F64, wanted: F64, what: str) -> float:
    both = sigmoid(model.score(days)), np.concatenate([sigmoid(model.score(day[None])) for day in days])
    gaps = np.max(np.abs(np.stack(both) - wanted), axis=0)
    wrong = np.flatnonzero(~(gaps <= PROBABILITY_TOLERANCE))
    if len(wrong):
        row = int(wrong[0])
        raise FailedError(
            f"the wrapped file does not give what the original gives: {what} {row + 1} has the probability of winter "
            f"{both[0][row]:.6f}, not {wanted[row]:.6f}; are --gives, --winter and --normalised what it was made for?"
        )
    return float(gaps.max())


class _Builder:
    """Builds nodes, one after the other, and their constants, under names of its own."""

    def __init__(self, prefix: str) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._prefix = prefix

    def add(self, operator: str, *inputs: str, out: str | None = None, **attributes: int) -> str:
        """Add one node; return the name of its output."""
        out = out or f"{self._prefix}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [out], **attributes))  # type: ignore[arg-type]
        return out

    def constant(self, value: object, kind: type = np.float32) -> str:
        """Add a constant; return its name."""
        name = f"{self._prefix}constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def shape(self, sizes: Sequence[int]) -> str:
        """Add a constant shape; return its name."""
        return self.constant(sizes, np.int64)

    def normalised(self, days: str, ddof: int) -> str:
        """Scale days to mean 0 and standard deviation 1, by products with constants, which are alike in every opset.

        First by their mean size, so that neither a huge nor a tiny load leaves the range of 32 bits.
        """
        mean = np.full((STEPS, 1), 1 / STEPS)
        size = self.add("MatMul", self.add("Abs", days), self.constant(mean))
        days = self.add("Div", days, self.add("Max", size, self.constant(1e-30)))
        days = self.add("Sub", days, self.add("MatMul", days, self.constant(mean)))
        square = self.add("MatMul", self.add("Mul", days, days), self.constant(mean * STEPS / (STEPS - ddof)))
        return self.add("Div", days, self.add("Max", self.add("Sqrt", square), self.constant(1e-6)))

    def logit(self, given: str, foreign: Foreign, out: str) -> None:
        """Turn the original's output into the logit of winter [batch, 1]."""
        given = self.add("Cast", given, to=TensorProto.FLOAT)
        given = self.add("Reshape", given, self.shape([-1, foreign.columns]))
        first, other = given, ""
        if foreign.columns == 2:
            first, other = (
                self.add("Gather", given, self.constant([column], np.int64), axis=1)
                for column in (foreign.winter, 1 - foreign.winter)
            )
        if foreign.gives in {"probability", "probabilities"}:
            other = other or self.add("Sub", self.constant(1.0), first)
            first, other = (
                self.add("Log", self.add("Max", each, self.constant(MIN_PROBABILITY))) for each in (first, other)
            )
        if other:
            self.add("Sub", first, other, out=out)
        else:
            self.add("Identity", first, out=out)
