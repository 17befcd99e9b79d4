"""A wrong option is a sentence that names it."""

import pytest

from season import instants
from season.settings import SettingError
from tests.season.files.made import parsed


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("--time-zone=Europe/Roma", "--time-zone: time zone 'Europe/Roma'"),
        ("--time-zone=", "--time-zone"),
        ("--time-zone=/etc/localtime", "--time-zone"),
        ("--delimiter=;;", "--delimiter ';;': one character"),
        ("--delimiter=", "--delimiter"),
        ('--delimiter="', "--delimiter"),
        ("--decimal=;", "--decimal ';'"),
        ("--step=7m", "--step '7m': a step that divides an hour"),
        ("--step=2h", "--step"),
        ("--step=0", "--step"),
        ("--step=15", "--step"),
        ("--step=1500ms", "--step"),
        ("--since=yesterday", "--since 'yesterday'"),
        ("--until=2021-02-30", "--until '2021-02-30'"),
        ("--since=2021-06-01T13:00", "--since"),
        ("--zone=", "--zone"),
        ("--zone=" + "x" * 201, "--zone"),
    ],
)
def test_a_wrong_option_is_a_sentence(argument: str, part: str) -> None:
    """It names the option, its value and what is allowed."""
    with pytest.raises(SettingError) as caught:
        parsed(argument)
    assert part in str(caught.value)


def test_a_since_later_than_until_is_a_sentence() -> None:
    """The two are compared as instants; the same one twice is an empty span."""
    assert parsed("--since=2021-06-01", "--until=2021-06-01").since == instants.parse("2021-06-01T00:00:00Z")
    with pytest.raises(SettingError, match="--since 2021-06-02 is later than --until 2021-06-01"):
        parsed("--since=2021-06-02", "--until=2021-06-01")
