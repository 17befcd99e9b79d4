"""A model's input and output are held to the contract; each way to break it gets a sentence."""

from dataclasses import dataclass

import pytest

from season.tensors import ContractError, check_tensors


@dataclass(frozen=True)
class Port:
    """A tensor as ONNX Runtime describes it."""

    name: str
    type: str
    shape: list[int | str | None]


LOAD = Port("load", "tensor(float)", ["batch", 1, 24])
LOGIT = Port("logit", "tensor(float)", ["batch", 1])


def test_the_tensors_of_the_contract_pass() -> None:
    """Whatever the names of tensors and batch."""
    check_tensors([LOAD], [LOGIT])
    check_tensors([Port("x", "tensor(float)", [None, 1, 24])], [Port("y", "tensor(float)", ["N", 1])])


@pytest.mark.parametrize(
    ("inputs", "outputs", "sentence"),
    [
        ([], [LOGIT], "input: the model has 0 (none)"),
        ([LOAD, LOAD], [LOGIT], "input: the model has 2 ('load', 'load')"),
        ([LOAD], [], "output: the model has 0"),
        ([LOAD], [LOGIT, LOGIT], "output: the model has 2"),
        ([Port("x", "tensor(double)", ["b", 1, 24])], [LOGIT], "input: 'x' is of type tensor(double)"),
        ([Port("x", "tensor(float)", ["b", 24])], [LOGIT], "input: 'x' has the shape [b, 24]"),
        ([Port("x", "tensor(float)", ["b", 24, 1])], [LOGIT], "input: 'x' has the shape [b, 24, 1]"),
        ([Port("x", "tensor(float)", ["b", 1, "n"])], [LOGIT], "input: 'x' has the shape [b, 1, n]"),
        ([Port("x", "tensor(float)", [])], [LOGIT], "input: 'x' has the shape []"),
        ([Port("x", "tensor(float)", [1, 1, 24])], [LOGIT], "a batch of fixed size"),
        ([LOAD], [Port("y", "tensor(int64)", ["b", 1])], "output: 'y' is of type tensor(int64)"),
        ([LOAD], [Port("y", "tensor(float)", ["b", 2])], "output: 'y' has the shape [b, 2]"),
        ([LOAD], [Port("y", "tensor(float)", [None])], "output: 'y' has the shape [?]"),
        ([LOAD], [Port("y", "tensor(float)", [8, 1])], "a batch of fixed size"),
    ],
)
def test_other_tensors_are_refused(inputs: list[Port], outputs: list[Port], sentence: str) -> None:
    """The sentence names the side at fault, what it is, and what is allowed."""
    with pytest.raises(ContractError) as refused:
        check_tensors(inputs, outputs)
    assert sentence in str(refused.value)
    assert "float32" in str(refused.value)
