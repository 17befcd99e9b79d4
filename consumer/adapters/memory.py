"""Lets memory go back to the system when it is freed: Kafka's client unpacks batches of up to a gigabyte.

By default glibc raises its threshold, up to 32 MiB, to the size of a block that was freed, and keeps such blocks in
each of its arenas: hundreds of megabytes after a few large batches. With a fixed threshold larger blocks are mappings
of their own, which are removed when they are freed.
"""

import contextlib
import ctypes

_M_MMAP_THRESHOLD = -3
_THRESHOLD_BYTES = 4 * 2**20


def give_back() -> None:
    """Let glibc return large blocks to the system as soon as they are freed; other C libraries ignore this."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _THRESHOLD_BYTES)
