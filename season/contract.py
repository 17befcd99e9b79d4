"""The model contract: what an ONNX file must look like and say of itself, for who writes it and who runs it.

One float32 input [batch, 1, 24] in the unit of the readings, one float32 output [batch, 1], the logit of
winter, `batch` dynamic (`season.tensors`). The file's `metadata_props` say under `season.…` what the service must
know: they are checked here, on plain texts, so that neither onnx nor ONNX Runtime is needed to ask.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, NoReturn, Self

import pydantic

from season.calendar import Calendar
from season.labels import LABELS
from season.tensors import ContractError, check_tensors

__all__ = ["NOTHING", "PREFIX", "Contract", "ContractError", "check_name", "check_tensors"]

PREFIX = "season."
NOTHING: Mapping[str, str] = MappingProxyType({})
MAX_NAME_CHARACTERS = 200  # characters


def _known_time_zone(name: str) -> str:
    return Calendar(name).time_zone


def _full_hour(text: str) -> str:
    return Calendar("UTC", text).day_start


def _the_two_labels(labels: Any) -> Any:
    if list(labels) != list(LABELS):
        raise ValueError(f"{json.dumps(labels)} are not the labels; exactly {json.dumps(LABELS)} is allowed")
    return LABELS


def check_name(name: str) -> str:
    """Return a model's name, which predictions and metrics carry. Raises ValueError where it cannot be one."""
    if not (0 < len(name) <= MAX_NAME_CHARACTERS and name.isprintable()):
        raise ValueError(
            f"{_short(name)} is not allowed; a text of 1 to {MAX_NAME_CHARACTERS} printable characters is"
        )
    return name


Text = Annotated[str, pydantic.Field(min_length=1)]


class Contract(pydantic.BaseModel):
    """What a model says of itself; the fields are the names in `metadata_props` less `season.`."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, pydantic.AfterValidator(check_name)]
    labels: Annotated[tuple[str, ...], pydantic.BeforeValidator(_the_two_labels)] = LABELS
    threshold: Annotated[float, pydantic.Field(ge=0, le=1, allow_inf_nan=False)] = 0.5
    time_zone: Annotated[str, pydantic.AfterValidator(_known_time_zone)]
    day_start: Annotated[str, pydantic.AfterValidator(_full_hour)] = "00:00"
    training_data: Text | None = None
    training_data_sha256: Annotated[str, pydantic.Field(pattern="^[0-9a-f]{64}$")] | None = None
    metrics: dict[str, pydantic.JsonValue] | None = None

    def metadata(self) -> dict[str, str]:
        """Return the `metadata_props` of a file with this contract; `from_metadata` is the inverse."""
        said = self.model_dump(exclude_none=True)
        return {PREFIX + name: _encode(value) for name, value in said.items()}

    @classmethod
    def from_metadata(
        cls, metadata: Mapping[str, str], file_stem: str, overrides: Mapping[str, str] = NOTHING
    ) -> Self:
        """Return the contract in a file's `metadata_props`; `file_stem` is its name where the file says none.

        `overrides`, by field ("time_zone"), have precedence over the file. An empty text counts as missing.
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


def _encode(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, allow_nan=False, ensure_ascii=False)


def _decode(name: str, text: str) -> Any:
    """Return the value of one field: labels and metrics are JSON, the others are texts that pydantic reads."""
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
    """Return pydantic's first error as one sentence."""
    allowed = {
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
