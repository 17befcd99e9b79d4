"""The compose file and the images: what they name, and what they must not."""

import re
from pathlib import Path

from kafka_local import KAFKA_VERSION

ROOT = Path(__file__).parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def test_compose_and_demo_run_the_same_kafka() -> None:
    """The version is pinned in kafka_local/jars.py; the image's tag follows it."""
    assert re.findall(r"image: apache/kafka:(\S+)", COMPOSE) == [KAFKA_VERSION]


def test_the_images_can_be_built_where_only_tags_are_known() -> None:
    """No digest, no syntax line that loads a build frontend, no pull that is forced."""
    for text in (COMPOSE, DOCKERFILE):
        assert "@sha256" not in text
        assert not re.search(r"^#\s*syntax", text, re.MULTILINE)
        assert "pull_policy" not in text
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"python:3.12-slim", "base"}


def test_no_image_runs_as_root() -> None:
    """Each one that is started ends with a user."""
    for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[2:]:
        assert re.search(r"^USER 10001$", stage, re.MULTILINE), stage


def test_the_images_install_what_their_program_needs_alone() -> None:
    """Each from its own lock, held to the hashes."""
    installs = re.findall(r"^RUN pip install (.*)$", DOCKERFILE, re.MULTILINE)
    assert installs == [f"--require-hashes --no-deps -r requirements/{name}.txt" for name in ("producer", "service")]


def test_the_images_know_their_version() -> None:
    """It stands in pyproject.toml, which .dockerignore lets in and each image has."""
    assert DOCKERFILE.count("\nCOPY pyproject.toml ./\n") == 2
    assert "\n!pyproject.toml\n" in (ROOT / ".dockerignore").read_text()
