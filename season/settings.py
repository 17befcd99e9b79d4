"""Turns the environment into checked values: one frozen model per program, one sentence for each error."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, Field, JsonValue, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

Model = TypeVar("Model", bound=BaseModel)

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_INTEGER = re.compile(r"-?[0-9]+")
_MAX_DURATION_S = 1_000_000 * 86400.0
"""A million days: sums of an instant and a duration stay far from the end of 64 bits."""


class SettingError(Exception):
    """A person must correct a setting; `str()` is the sentence (setting, value, what is allowed). Status 2."""


class RefusedError(Exception):
    """The broker refused this program (its credentials, its rights); `str()` is the sentence. Status 1."""


def seconds(text: object) -> float:
    """Return a duration (`500ms`, `10s`, `1.5h`, `2d`, `0`) in seconds. Raises ValueError with what is allowed."""
    if text == "0":
        return 0.0
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    value = float(match[1]) * _SECONDS[match[2]] if match else -1.0
    if not 0 <= value <= _MAX_DURATION_S:
        raise ValueError("a duration is allowed, such as 500ms, 10s, 1.5h or 2d (units ms, s, m, h, d), or 0")
    return value


class Duration(float):
    """Seconds that were typed as a duration: a number to compute with, whose `str()` is the text ("48h")."""

    _typed: str

    def __new__(cls, text: str) -> Self:
        """Read a text as `seconds` does. Raises ValueError, which says what is allowed."""
        made = super().__new__(cls, seconds(text))
        made._typed = text
        return made

    def __str__(self) -> str:
        return self._typed

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> CoreSchema:
        """Tell pydantic how a field of this type is read."""
        return core_schema.no_info_plain_validator_function(cls)


def _digits(value: object) -> object:
    """Refuse what pydantic would accept as a whole number besides its digits: 1_0, 1.0, spaces around."""
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise PydanticCustomError("whole", "a whole number is allowed")
    return value


WholeNumber = Annotated[int, BeforeValidator(_digits)]
"""A setting's field that is a whole number, in digits."""


def setting(default: Any, meaning: str, *, allowed: str = "", shown: str = "", **limits: Any) -> Any:
    """Declare a model's field as a setting; what is said here is what `--help` and README.md say of it.

    `default` is as a person would type it, or is called at each start; then `shown` says in words what it is.
    `allowed` ("a whole number from 0 to 12") also ends the sentence about a wrong value; `limits` are pydantic's.
    """
    made: dict[str, Any] = {"default_factory": default} if callable(default) else {"default": default}
    more: dict[str, JsonValue] = {"allowed": allowed, "shown": shown}
    return Field(**made, validate_default=True, description=meaning, json_schema_extra=more, **limits)


def said(field: FieldInfo) -> tuple[str, str]:
    """Return what is allowed for a field, and its default in words where it has no fixed one; both may be empty."""
    extra = field.json_schema_extra
    return (str(extra["allowed"]), str(extra["shown"])) if isinstance(extra, dict) else ("", "")


def load(cls: type[Model], environ: Mapping[str, str]) -> Model:
    """Read a model's fields from the environment: `grace_period` from GRACE_PERIOD; empty counts as not set.

    A validator over several fields raises ValueError with the whole sentence. Raises SettingError.
    """
    given = {field: environ[field.upper()] for field in cls.model_fields if environ.get(field.upper())}
    for field, value in given.items():
        check_text(field.upper(), value)
    try:
        return cls.model_validate(given)
    except ValidationError as error:
        sentences = [_sentence(cls, detail) for detail in error.errors(include_url=False)]
        raise SettingError("\n".join(dict.fromkeys(sentences))) from None


def check_text(name: str, value: str) -> None:
    """Raise SettingError where a value of the environment is no text: its bytes are not UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise SettingError(f"{name}: its bytes are not UTF-8; a text is allowed") from None


def _sentence(cls: type[BaseModel], detail: ErrorDetails) -> str:
    cause = detail.get("ctx", {}).get("error")
    message = str(cause) if cause is not None else detail["msg"].replace("Input should be", "must be")
    if not detail["loc"]:
        return message
    name = str(detail["loc"][0])
    field = cls.model_fields[name]
    allowed, _ = said(field)
    if cause is None and allowed:
        message = f"{allowed} is allowed"
    shown = "" if _is_secret(field) else f"={detail['input']!r}"
    return f"{name.upper()}{shown}: {message}"


def _is_secret(field: FieldInfo) -> bool:
    kinds = {field.annotation, *get_args(field.annotation)}
    return bool(kinds & {SecretStr, SecretBytes})
