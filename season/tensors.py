"""The model contract's tensors: one float32 input [batch, 1, 24], one float32 output [batch, 1], `batch` dynamic.

They are checked on plain texts and shapes, so that this needs neither onnx nor ONNX Runtime. They are not in
`season.contract`, so that a process that only tries a model starts quickly.
"""

from collections.abc import Sequence
from typing import Protocol

from season.steps import STEPS


class ContractError(ValueError):
    """A model breaks the contract: `str()` is the sentence, `part` the part at fault ("season.labels")."""

    def __init__(self, part: str, sentence: str) -> None:
        super().__init__(f"{part}: {sentence}")
        self.part = part


class Tensor(Protocol):
    """An input or output as ONNX Runtime describes it: its type is a text such as "tensor(float)"."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def shape(self) -> Sequence[int | str | None]: ...  # noqa: D102


def check_tensors(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
    """Raise `ContractError` for the first of a model's inputs and outputs that breaks the contract."""
    _check_tensor("input", inputs, (1, STEPS))
    _check_tensor("output", outputs, (1,))


def _check_tensor(part: str, tensors: Sequence[Tensor], inner: tuple[int, ...]) -> None:
    wanted = f"exactly one, of type float32 and shape [batch, {', '.join(map(str, inner))}], is allowed"
    if len(tensors) != 1:
        names = ", ".join(repr(tensor.name) for tensor in tensors) or "none"
        raise ContractError(part, f"the model has {len(tensors)} ({names}); {wanted}")
    tensor = tensors[0]
    shape = list(tensor.shape)
    if tensor.type != "tensor(float)":
        raise ContractError(part, f"{tensor.name!r} is of type {tensor.type}; {wanted}")
    if len(shape) != 1 + len(inner) or tuple(shape[1:]) != inner:
        raise ContractError(part, f"{tensor.name!r} has the shape {_shape(shape)}; {wanted}")
    if isinstance(shape[0], int):
        raise ContractError(
            part, f"{tensor.name!r} has the shape {_shape(shape)}, a batch of fixed size; {wanted}, batch dynamic"
        )


def _shape(shape: Sequence[int | str | None]) -> str:
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"
