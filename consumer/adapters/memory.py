"""What was held for a moment goes back to the system: Kafka's client unpacks batches of up to a gigabyte.

By itself glibc keeps freed blocks of up to 32 MiB, in each of its arenas, once it has seen one of them freed: after
a few batches that unpack to too much, hundreds of megabytes. With a threshold that stays, larger blocks are mappings
of their own, which end when they are freed.
"""

import contextlib
import ctypes

_M_MMAP_THRESHOLD = -3
_THRESHOLD_BYTES = 4 * 2**20


def give_back() -> None:
    """Let glibc return large blocks to the system as soon as they are freed; other C libraries ignore this."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _THRESHOLD_BYTES)
