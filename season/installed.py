"""What differs between a checkout of the repository and an installed package: version, default model, own files."""

import importlib.metadata
import tomllib
from pathlib import Path

DISTRIBUTION = "season-stream"
_MODEL = "season_classifier.onnx"
_HERE = Path(__file__).absolute().parent


def checkout() -> Path | None:
    """Return the folder of the checkout that this code stands in, or None where it is an installed package."""
    root = _HERE.parent
    return root if (root / "pyproject.toml").is_file() else None


def version() -> str:
    """Return the version: of the checkout, since another one may be installed as well, else of the package."""
    root = checkout()
    if root is None:
        return importlib.metadata.version(DISTRIBUTION)
    return str(tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def default_model() -> str:
    """Return the path of the model that comes with the program, as seen from the working directory."""
    packaged = _HERE / "models" / _MODEL
    path = packaged if packaged.is_file() else _HERE.parent / "models" / _MODEL
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
