"""The compiled loops: `warm` compiles all of them, they are kept beside the modules, or done without that."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consumer import compiled, core
from consumer.adapters import usual
from consumer.warm import warm

ROOT = Path(__file__).resolve().parents[2]


def loops() -> list[Any]:
    """Every loop that is called from Python, or by another."""
    modules = [
        importlib.import_module(f"consumer.core.{module.name}") for module in pkgutil.iter_modules(core.__path__)
    ]
    found = {
        id(loop): loop for module in [*modules, usual] for loop in vars(module).values() if hasattr(loop, "py_func")
    }
    return list(found.values())


@pytest.mark.skipif(compiled._config.DISABLE_JIT, reason="nothing is compiled")
def test_warm_compiles_each_loop_for_the_types_that_the_service_uses() -> None:
    """What it does not run would be compiled while readings wait."""
    warm()
    assert [loop.__name__ for loop in loops() if not loop.signatures and loop.__name__ not in {"by_clock"}] == []


def test_where_nothing_can_be_kept_the_loops_are_compiled_all_the_same(tmp_path: Path) -> None:
    """A root that is read-only, and no code there yet: slower, but not an error."""
    program = (
        "from consumer import compiled\n"
        "def refuse(*_): raise OSError('read-only')\n"
        "compiled.caching.FunctionCache.save_overload = refuse\n"
        "compiled._CacheOfPackage.get_cache_path = lambda self: '/proc/nowhere'\n"
        "from consumer.core.days import locate_in_table\n"
        "import numpy as np\n"
        "from consumer.core.columns import READING\n"
        "records, flags = np.zeros(1, READING), np.zeros(1, np.bool_)\n"
        "days, starts = np.array([0, 1]), np.array([0, 86400])\n"
        "print(locate_in_table(records, days, starts, np.zeros(2, np.bool_), flags, flags.copy()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr
