"""A program whose packages are not installed says which extra brings them."""

import pytest

from season.extras import with_extra


def missing(name: str) -> int:
    """A start that needs this package."""
    raise ModuleNotFoundError(name=name)


def test_a_missing_package_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, the package and the extra; no traceback."""
    assert with_extra("consumer", lambda: missing("confluent_kafka.admin")) == 2
    said = capsys.readouterr().err
    assert said.startswith("the Python package 'confluent_kafka' is not installed: ")
    assert "season-stream[consumer]" in said


def test_a_missing_module_of_ours_is_a_bug() -> None:
    """It keeps its traceback; and a start that goes well keeps its status."""
    with pytest.raises(ModuleNotFoundError):
        with_extra("consumer", lambda: missing("season.nowhere"))
    assert with_extra("consumer", lambda: 3) == 3
