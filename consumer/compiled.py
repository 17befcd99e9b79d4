"""Compiles loops over arrays, once for every processor of the architecture.

The machine code lies in the modules' `__pycache__`, and is loaded from there at the next start. Where
that folder cannot be written (a read-only root) and holds nothing yet, each start compiles, and keeps nothing.
`NUMBA_DISABLE_JIT=1` leaves the loops as the Python that they are: for tests, coverage and fuzzers.
"""

import contextlib
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba.core import caching, types
from numba.extending import intrinsic
from numpy.typing import NDArray

import season

_config: Any = numba.config
# Code for one processor would have to be compiled again on the next: in another container, say.
_config.CPU_NAME, _config.CPU_FEATURES = "generic", ""

Loop = TypeVar("Loop", bound=Callable[..., Any])


class _CacheOfPackage(caching.InTreeCacheLocator):
    """Numba's own locator for `__pycache__`, but for two things.

    The folder need not be writable. And a loop is compiled again where any module of its folder or of `season` has
    changed: numba alone looks at the loop's own file, but machine code holds that of the functions it calls, too.
    """

    def ensure_cache_path(self) -> None:
        with contextlib.suppress(OSError):
            Path(self.get_cache_path()).mkdir(exist_ok=True)  # type: ignore[no-untyped-call]

    def get_source_stamp(self) -> bytes:
        return _hash_of_modules(Path(self._py_file).parent) + _hash_of_modules(Path(season.__file__).parent)


class _Implementation(caching.CompileResultCacheImpl):
    _locator_classes = [_CacheOfPackage]  # noqa: RUF012 - so it is in the base class


class _Cache(caching.FunctionCache):
    """Numba's own cache, which does without what it cannot write."""

    _impl_class = _Implementation

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]


def compiled(loop: Loop) -> Loop:
    """Return the loop, compiled at its first call for the types of its arguments.

    Floats are added and divided in the order in which they are written: the same bits as uncompiled.
    """
    if _config.DISABLE_JIT:
        return loop
    dispatcher: Any = numba.njit(loop, nogil=True)
    dispatcher._cache = _Cache(loop)  # type: ignore[no-untyped-call]
    return dispatcher  # type: ignore[no-any-return]


def _eight(text: NDArray[np.uint8], at: int) -> int:
    """Return the eight bytes that begin at `at` as one number: to compare and to hash them takes one step."""
    return int.from_bytes(text[at : at + 8].tobytes(), "little", signed=True)


@intrinsic
def _eight_compiled(_context: Any, text: Any, at: Any) -> Any:
    """Load them with one instruction, wherever they stand; as all compiled indexing this checks no bounds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    return types.int64(text, types.int64), generate


_compiled: Any = _eight_compiled
eight: Callable[[NDArray[np.uint8], int], int] = _eight if _config.DISABLE_JIT else _compiled


@functools.cache
def _hash_of_modules(folder: Path) -> bytes:
    digest = hashlib.sha256()
    for module in sorted(folder.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.digest()
