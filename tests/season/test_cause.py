"""What ONNX Runtime says becomes a sentence: its cause, without the C++ in which it happened."""

import pytest

from season.cause import cause

SIGNATURE = (
    "onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&, "
    "const onnxruntime::IOnnxRuntimeOpSchemaRegistryList*, const onnxruntime::ModelOptions&)"
)
FAIL = "[ONNXRuntimeError] : 1 : FAIL : "


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            f"{FAIL}/src/core/graph/model.cc:245 {SIGNATURE} Missing opset in the model.",
            "Missing opset in the model.",
        ),
        (
            f"{FAIL}/src/a.cc:1 void ns::f(const std::unordered_map<std::basic_string<char>, int>&, (lambda)) const "
            "[with T = float] the cause (of it)",
            "the cause (of it)",
        ),
        (f"{FAIL}/src/a.h:12 ns::A::f(int)::<lambda(const T&, int)> failed", "failed"),
        (
            f"[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : while running MatMul node. Status Message: "
            f"/src/m.h:77 {SIGNATURE} dimensions differ\n",
            "while running MatMul node. Status Message: dimensions differ",
        ),
        (f"Load failed: {FAIL}bad graph", "Load failed: bad graph"),
        ("no C++\n in\tit \x1b[0m", "no C++ in it ?[0m"),
        ("/src/a.cc:12 never closed (", "never closed ("),
        ("x" * 400, "x" * 300 + "…"),
    ],
)
def test_the_cause_is_what_is_left(text: str, sentence: str) -> None:
    """Codes, files, signatures and line ends go, wherever they stand."""
    assert cause(RuntimeError(text)) == sentence


def test_an_error_without_a_word_is_its_class() -> None:
    """There is nothing else to say."""
    assert cause(MemoryError()) == "MemoryError"


def test_a_file_that_is_too_new_is_said_to_be() -> None:
    """Its own version, and the newest that is taken; what to do."""
    ir = f"{FAIL}/src/model.cc:256 {SIGNATURE} Unsupported model IR version: 99, max supported IR version: 14"
    opset = (
        f"{FAIL}/src/utils.h:46 {SIGNATURE} ONNX Runtime only *guarantees* support for models stamped with "
        "official released onnx opset versions. Opset 99 is under development and support for this is limited. The "
        "operator schemas may change. Current official support for domain ai.onnx is till opset 28."
    )
    remedy = "the newest that this ONNX Runtime takes: export it for an older one, or install a newer ONNX Runtime"
    assert cause(RuntimeError(ir)) == f"its IR version is 99, newer than 14, {remedy}"
    assert cause(RuntimeError(opset)) == f"its opset of ai.onnx is 99, newer than 28, {remedy}"
