"""Version and default model, as they are found in the checkout; tests/test_package.py has the installed package."""

import tomllib
from pathlib import Path

import pytest

from season.installed import checkout, default_model, version

ROOT = Path(__file__).parents[2]


def test_the_checkout_s_own_version_counts() -> None:
    """That in its pyproject.toml, whatever may be installed beside it."""
    assert checkout() == ROOT
    assert version() == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_the_default_model_is_found_from_every_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From the checkout's root it is the short path that people type, from elsewhere the whole one."""
    monkeypatch.chdir(ROOT)
    assert default_model() == "models/season_classifier.onnx"
    monkeypatch.chdir(tmp_path)
    assert default_model() == str(ROOT / "models" / "season_classifier.onnx")
