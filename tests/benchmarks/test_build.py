"""What is said where the peers cannot be built."""

from pathlib import Path

import pytest

from benchmarks.peers.build import BuildError, build


def test_a_machine_without_maven_gets_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It says what is missing and what is needed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match="mvn is not installed: the peers need a JDK 17 or later and Maven"):
        build("streams")


def test_an_old_compiler_gets_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It says which one was found."""
    for name in ("mvn", "javac"):
        (tmp_path / name).write_text("#!/bin/sh\necho javac 11.0.2\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(BuildError, match=r"is javac 11\.0\.2: the peers need a JDK 17 or later"):
        build("streams")
