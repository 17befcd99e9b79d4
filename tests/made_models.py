"""ONNX files for tests: a tiny one, what it becomes with other nodes, and those that would harm who runs them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

METADATA = {
    "season.name": "tiny",
    "season.labels": '["winter", "summer"]',
    "season.threshold": "0.25",
    "season.time_zone": "Europe/Rome",
    "season.day_start": "06:00",
}
ENDLESS = 10**12
"""Turns of a loop that nobody waits for."""

Shape = Sequence[int | str]
Nodes = list[onnx.NodeProto]


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


def endless(condition: Nodes | None = None, turns: int = ENDLESS) -> onnx.ModelProto:
    """A model that doubles its logit so often; `condition` makes of "flat" [batch, 24] how often instead, "turns"."""
    return network(nodes=[*_product(), *(condition or [_integer("turns", turns)]), *_loop("Add", "turns", "logit")])


def endless_at(demand: float) -> onnx.ModelProto:
    """A model that comes to no end with a day one of whose hours has exactly this demand."""
    nodes = [
        helper.make_node("Constant", [], ["demand"], value_float=float(demand)),
        helper.make_node("Equal", ["flat", "demand"], ["equal"]),
        helper.make_node("Cast", ["equal"], ["counted"], to=TensorProto.INT64),
        helper.make_node("ReduceMax", ["counted"], ["found"], keepdims=0),
        _integer("for_ever", ENDLESS),
        helper.make_node("Mul", ["found", "for_ever"], ["turns"]),
    ]
    return endless(nodes)


def endless_branch(comparison: str, demand: float) -> onnx.ModelProto:
    """A model with an If: the branch that it goes where the sum of the steps compares so comes to no end."""
    ends, never = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("ends", "never"))
    product = helper.make_node("Identity", ["product"], ["ends"])
    quick = helper.make_graph([product], "quick", [], [ends])
    slow = helper.make_graph([_integer("turns", ENDLESS), *_loop("Add", "turns", "never")], "slow", [], [never])
    nodes = [
        helper.make_node("ReduceSum", ["flat"], ["sum"], keepdims=0),
        helper.make_node("Constant", [], ["limit"], value_float=float(demand)),
        helper.make_node(comparison, ["sum", "limit"], ["reached"]),
        helper.make_node("If", ["reached"], ["logit"], then_branch=slow, else_branch=quick),
    ]
    return network(nodes=[*_product(), *nodes])


def endless_to_load(products: int = 1000) -> onnx.ModelProto:
    """A model of so many large products of constants, which ONNX Runtime works out while it loads the file."""
    size = helper.make_tensor("size", TensorProto.INT64, [2], [2000, 2000])
    nodes = [
        helper.make_node("Constant", [], ["size"], value=size),
        helper.make_node("ConstantOfShape", ["size"], ["power0"]),
        *(helper.make_node("MatMul", [f"power{i}", "power0"], [f"power{i + 1}"]) for i in range(products)),
        helper.make_node("ReduceSum", [f"power{products}"], ["sum"], keepdims=0),
        helper.make_node("Add", ["product", "sum"], ["logit"]),
    ]
    return network(nodes=[*_product(), *nodes])


def laughs(depth: int = 60) -> onnx.ModelProto:
    """A model of functions, each of which calls the next one twice."""
    model = network(nodes=[*_product(), helper.make_node("f0", ["product"], ["logit"], domain="made")])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("made", 1)]
    for level in range(depth):
        call = (f"f{level + 1}", "made") if level + 1 < depth else ("Neg", "")
        nodes = [helper.make_node(call[0], [a], [b], domain=call[1]) for a, b in (("x", "y"), ("y", "z"))]
        model.functions.append(helper.make_function("made", f"f{level}", ["x"], ["z"], nodes, opsets))
    model.opset_import.append(opsets[1])
    return model


def recursive() -> onnx.ModelProto:
    """A model with a function that calls itself."""
    model = network(nodes=[*_product(), helper.make_node("f", ["product"], ["logit"], domain="made")])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("made", 1)]
    call = helper.make_node("f", ["x"], ["y"], domain="made")
    model.functions.append(helper.make_function("made", "f", ["x"], ["y"], [call], opsets))
    model.opset_import.append(opsets[1])
    return model


def growing() -> onnx.ModelProto:
    """A model that appends a tensor to itself, again and again."""
    flatten = helper.make_node("ReduceSum", ["grown", "axes"], ["logit"], keepdims=1)
    return network(nodes=[*_product(), _integer("turns", 60), *_loop("Concat", "turns", "grown"), flatten])


def huge(elements: int = 10**11) -> onnx.ModelProto:
    """A model that asks for a tensor of so many elements."""
    nodes = [
        helper.make_node(
            "Constant", [], ["size"], value=helper.make_tensor("size", TensorProto.INT64, [1], [elements])
        ),
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["product", "sum"], ["logit"]),
    ]
    return network(nodes=[*_product(), *nodes])


def slow(turns: int) -> onnx.ModelProto:
    """A model that comes to its end, after so many turns of a loop."""
    return endless(turns=turns)


def too_new(ir: int = 9, opset: int = 18, domain: str = "") -> onnx.ModelProto:
    """A model that says that it is of another IR version or opset than the tiny one."""
    model = network()
    model.ir_version = ir
    opsets = {"": 18} | {domain: opset}
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(*each) for each in opsets.items())
    return model


def _product() -> Nodes:
    """What the tiny model makes of its steps: "flat" [batch, 24] and "product" [batch, 1]."""
    return [
        helper.make_node("Squeeze", ["steps", "axes"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["product"]),
    ]


def _integer(name: str, value: int) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=helper.make_tensor(name, TensorProto.INT64, [], [value]))


def _loop(operator: str, turns: str, out: str, start: str = "product") -> Nodes:
    """A loop that takes what it has and itself to an operator, so often."""
    info = helper.make_tensor_value_info
    attributes = {"axis": 1} if operator == "Concat" else {}
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["goes_on"]),
            helper.make_node(operator, ["before", "before"], ["after"], **attributes),  # type: ignore[arg-type]
        ],
        "body",
        [
            info("turn", TensorProto.INT64, []),
            info("go_on", TensorProto.BOOL, []),
            info("before", TensorProto.FLOAT, None),
        ],
        [info("goes_on", TensorProto.BOOL, []), info("after", TensorProto.FLOAT, None)],
    )
    yes = helper.make_node("Constant", [], ["yes"], value=helper.make_tensor("yes", TensorProto.BOOL, [], [True]))
    return [yes, helper.make_node("Loop", [turns, "yes", start], [out], body=body)]
