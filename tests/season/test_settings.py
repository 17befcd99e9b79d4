"""Settings: durations, the environment as a model, and sentences that say what is allowed and hide secrets."""

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from season.settings import Duration, SettingError, WholeNumber, load, seconds, setting


class Example(BaseModel):
    """A model with one field of each kind that the programs use."""

    model_config = ConfigDict(frozen=True)
    grace_period: Duration = setting("24h", "how long a window takes readings")
    max_filled_hours: WholeNumber = setting(
        2, "how many are filled", allowed="a whole number from 0 to 12", ge=0, le=12
    )
    password: SecretStr | None = Field(None, min_length=8)
    http_port: WholeNumber = Field(8000, ge=0, le=65535)

    @model_validator(mode="after")
    def _over_fields(self) -> "Example":
        if self.http_port == 13:
            raise ValueError("HTTP_PORT=13 does not go with the rest")
        return self


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500ms", 0.5),
        ("10s", 10),
        ("3m", 180),
        ("1.5h", 5400),
        ("2d", 172800),
        ("0", 0),
        ("0h", 0),
        ("0.5ms", 0.0005),
    ],
)
def test_durations_are_read_in_their_unit(text: str, value: float) -> None:
    """A number with one of the units ms, s, m, h and d is that many seconds; 0 needs no unit."""
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text",
    [
        "24",
        "-1h",
        "1 h",
        "1H",
        "h",
        "",
        "0.0",
        "1e3s",
        "nan",
        "infh",
        "1.h",
        ".5h",
        "1h30m",
        "٣h",
        "9" * 400 + "d",
        "2w",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A bare number, a sign, another unit or a value without end is refused by a sentence with examples."""
    with pytest.raises(ValueError, match=r"such as 500ms, 10s, 1\.5h or 2d"):
        seconds(text)


def test_a_duration_remembers_how_it_was_typed() -> None:
    """It computes as seconds and is shown as typed, the default too."""
    read = load(Example, {"GRACE_PERIOD": "1.50h"})
    assert read.grace_period == pytest.approx(5400)
    assert [f"{read.grace_period}", str(load(Example, {}).grace_period)] == ["1.50h", "24h"]


def test_fields_are_read_from_their_upper_case_names() -> None:
    """Each field comes from the variable of its name; others of the environment are not looked at."""
    read = load(Example, {"GRACE_PERIOD": "1h", "MAX_FILLED_HOURS": "0", "grace_period": "2h", "HOME": "/"})
    assert (read.grace_period, read.max_filled_hours) == (3600.0, 0)


def test_an_empty_value_counts_as_not_set() -> None:
    """An empty variable leaves the default."""
    assert load(Example, {"GRACE_PERIOD": "", "MAX_FILLED_HOURS": ""}) == load(Example, {})


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("GRACE_PERIOD", "24", "500ms"),
        ("MAX_FILLED_HOURS", "13", "a whole number from 0 to 12"),
        ("MAX_FILLED_HOURS", "two", "a whole number from 0 to 12"),
        ("HTTP_PORT", "65536", "less than or equal to 65535"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    """The sentence holds the setting's name, its value and what is allowed."""
    with pytest.raises(SettingError) as caught:
        load(Example, {name: value})
    sentence = str(caught.value)
    assert sentence.startswith(f"{name}={value!r}: ")
    assert allowed in sentence


def test_several_wrong_values_are_told_at_once() -> None:
    """One start is enough to learn of each wrong setting: a sentence a line."""
    with pytest.raises(SettingError) as caught:
        load(Example, {"GRACE_PERIOD": "x", "HTTP_PORT": "y"})
    assert [line.split("=")[0] for line in str(caught.value).splitlines()] == ["GRACE_PERIOD", "HTTP_PORT"]


def test_a_rule_over_several_settings_says_its_own_sentence() -> None:
    """What a validator of the whole model raises is told as it stands."""
    with pytest.raises(SettingError, match=r"^HTTP_PORT=13 does not go with the rest$"):
        load(Example, {"HTTP_PORT": "13"})


def test_a_secret_is_never_told() -> None:
    """The value of a secret stands in no sentence, not even in that about itself."""
    with pytest.raises(SettingError) as caught:
        load(Example, {"PASSWORD": "hunter2"})
    assert "PASSWORD" in str(caught.value)
    assert "hunter2" not in str(caught.value)
