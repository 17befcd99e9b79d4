"""The compiled loops: `warm` compiles all of them, they are kept beside the modules, or done without that."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consumer import compiled, core
from consumer.adapters import usual
from consumer.adapters.decode import decode
from consumer.core.changelog import Changelog
from consumer.core.idle import idle_stream_times
from consumer.core.outcome import Rules
from consumer.core.record import Origin
from consumer.core.replay import Replay
from consumer.core.state import State
from consumer.warm import warm
from season.calendar import DAY, Calendar

ROOT = Path(__file__).resolve().parents[2]


def signatures() -> dict[str, list[Any]]:
    """For which types each loop is compiled, or loaded, that is called from Python."""
    modules = [
        importlib.import_module(f"consumer.core.{module.name}") for module in pkgutil.iter_modules(core.__path__)
    ]
    loops = [loop for module in [*modules, usual] for loop in vars(module).values() if hasattr(loop, "py_func")]
    return {f"{loop.__module__}.{loop.__name__}": list(loop.signatures) for loop in loops}


def work() -> None:
    """What a partition does with readings of all kinds, on the days when clocks change, up to its restore."""
    calendar = Calendar("Europe/Rome")
    state, rules, changelog, replay = State(calendar), Rules(DAY, 2, 3600.0), Changelog(), Replay(calendar)
    for day in ("2021-03-28", "2021-10-31"):
        for hour in range(24):
            stamps = [f"{day}T{hour:02d}:00:00{end}" for end in ("Z", ".0Z", "")]
            values = [f'{{"zone": "zone", "timestamp": "{stamp}", "demand_mw": {hour}}}' for stamp in stamps]
            encoded = [value.encode() for value in values]
            readings = decode([b"zone"] * len(values), encoded, 4, calendar).readings
            state.read(readings, 2e9, rules)
            state.rollback()
            state.read(readings, 2e9, rules)
            for key, value in changelog.records(state, state.changes(), Origin("id", hour, "Europe/Rome", "00:00")):
                replay.apply(key, value)
            state.commit()
    idle_stream_times(state, state.with_windows(np.arange(state.known)), rules)
    state.advance(np.arange(state.known), state.stream + 10 * DAY, rules)
    state.commit()


@pytest.mark.skipif(compiled._config.DISABLE_JIT, reason="nothing is compiled")
def test_after_it_nothing_is_compiled_any_more() -> None:
    """What it does not run, or runs with other types, would be compiled while readings wait."""
    warm()
    before = signatures()
    work()
    assert signatures() == before


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
