"""The model contract: what an ONNX file must look like and say of itself, for who writes it and who runs it.

One float32 input [batch, 1, 24] in the unit of the readings, one float32 output [batch, 1], the logit of
winter, `batch` dynamic. The file's `metadata_props` say under `season.…` what the service must know. Both
are checked here, on plain strings and shapes, so that neither onnx nor ONNX Runtime is needed to ask.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, NoReturn, Protocol, Self

import pydantic

from season.calendar import Calendar
from season.labels import LABELS
from season.steps import STEPS

PREFIX = "season."
NOTHING: Mapping[str, str] = MappingProxyType({})


class ContractError(ValueError):
    """A model that breaks the contract: `str()` is the sentence, `part` what is at fault ("season.labels")."""

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


def _known_time_zone(name: str) -> str:
    return Calendar(name).time_zone


def _full_hour(text: str) -> str:
    return Calendar("UTC", text).day_start


def _the_two_labels(labels: Any) -> Any:
    if list(labels) != list(LABELS):
        raise ValueError(f"{json.dumps(labels)} are not the labels; exactly {json.dumps(LABELS)} is allowed")
    return LABELS


Text = Annotated[str, pydantic.Field(min_length=1)]


class Contract(pydantic.BaseModel):
    """What a model says of itself; the fields are the names in `metadata_props` less `season.`."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    name: Text
    labels: Annotated[tuple[str, ...], pydantic.BeforeValidator(_the_two_labels)] = LABELS
    threshold: Annotated[float, pydantic.Field(ge=0, le=1, allow_inf_nan=False)] = 0.5
    time_zone: Annotated[str, pydantic.AfterValidator(_known_time_zone)]
    day_start: Annotated[str, pydantic.AfterValidator(_full_hour)] = "00:00"
    training_data: Text | None = None
    training_data_sha256: Annotated[str, pydantic.Field(pattern="^[0-9a-f]{64}$")] | None = None
    metrics: dict[str, pydantic.JsonValue] | None = None

    def metadata(self) -> dict[str, str]:
        """The `metadata_props` of a file with this contract; `from_metadata` is the way back."""
        said = self.model_dump(exclude_none=True)
        return {PREFIX + name: _encode(value) for name, value in said.items()}

    @classmethod
    def from_metadata(
        cls, metadata: Mapping[str, str], file_stem: str, overrides: Mapping[str, str] = NOTHING
    ) -> Self:
        """The contract in a file's `metadata_props`; `file_stem` is its name where the file says none.

        `overrides`, by field ("time_zone"), stand before what the file says. An empty text says nothing.
        Raises `ContractError`.
        """
        texts = {name: metadata.get(PREFIX + name, "") for name in cls.model_fields}
        texts = {"name": file_stem} | {name: text for name, text in (texts | {**overrides}).items() if text}
        if "time_zone" not in texts:
            raise ContractError(
                PREFIX + "time_zone",
                "neither the model's metadata nor a setting says the windows' time zone, and there is no default",
            )
        values = {name: _decode(name, text) for name, text in texts.items()}
        try:
            return cls.model_validate(values)
        except pydantic.ValidationError as error:
            _refuse(error, texts)


def check_tensors(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
    """Holds a model's inputs and outputs to the contract; raises `ContractError` for the first that differs."""
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


def _encode(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, allow_nan=False, ensure_ascii=False)


def _decode(name: str, text: str) -> Any:
    """The value of one field: labels and metrics are JSON, the others are texts that pydantic reads."""
    if name not in {"labels", "metrics"}:
        return text
    kind, wanted = (list, json.dumps(LABELS)) if name == "labels" else (dict, "a JSON object")
    try:
        value = json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise ContractError(PREFIX + name, f"{_short(text)} is not JSON; {wanted} is allowed") from None
    if not isinstance(value, kind):
        raise ContractError(PREFIX + name, f"{_short(text)} is not allowed; {wanted} is")
    return value


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _refuse(error: pydantic.ValidationError, texts: Mapping[str, str]) -> NoReturn:
    """Turns pydantic's first complaint into one sentence."""
    allowed = {
        "name": "a text that is not empty",
        "threshold": "a number between 0 and 1",
        "training_data": "a text that is not empty",
        "training_data_sha256": "64 hex digits in lower case",
        "metrics": "a JSON object",
    }
    first = error.errors()[0]
    name = str(first["loc"][0])
    if name in allowed:
        sentence = f"{_short(texts[name])} is not allowed; {allowed[name]} is"
    else:
        sentence = first["msg"].removeprefix("Value error, ")
    raise ContractError(PREFIX + name, sentence) from None


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")
