"""The compiled loops: `warm` compiles all of them, they are kept beside the modules, or done without that."""

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consumer import compiled, core
from consumer.adapters import usual

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
def test_warm_calls_each_loop() -> None:
    """What it does not call would be compiled while readings wait. Asked uncompiled: no cache hides a call.

    A loop that is called by another one is compiled with it, on whichever branch the call stands.
    """
    program = (
        "import sys\n"
        "from consumer.warm import warm\n"
        "called = set()\n"
        "def note(frame, event, _):\n"
        "    called.add((frame.f_globals.get('__name__'), frame.f_code.co_name))\n"
        "sys.setprofile(note)\n"
        "warm()\n"
        "sys.setprofile(None)\n"
        "for module, name in called: print(module, name)\n"
    )
    environ = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    called = {tuple(line.split()) for line in done.stdout.splitlines()}
    found = {loop.__name__: loop for loop in loops()}
    left = [name for name, loop in found.items() if (loop.__module__, name) in called]
    compiled_with = set()
    while left:
        compiled_with.add(name := left.pop())
        left += [inner for inner in found[name].py_func.__code__.co_names if inner in found.keys() - compiled_with]
    assert found.keys() - compiled_with == set()


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
