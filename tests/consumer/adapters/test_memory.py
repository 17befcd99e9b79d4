"""Large blocks are given back."""

import subprocess
import sys

PROGRAM = """
import ctypes, sys
from consumer.adapters.memory import give_back

class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
if sys.argv[1] == "give back":
    give_back()
bytes(30 * 2**20)  # seen once, it makes glibc keep blocks of that size
before = libc.mallinfo2().hblks
block = bytes(5 * 2**20)
print(libc.mallinfo2().hblks - before)
"""


def mapped(how: str) -> str:
    """Whether a block of 5 MiB is a mapping of its own, after a larger one was freed."""
    command = [sys.executable, "-c", PROGRAM, how]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_large_block_is_a_mapping_of_its_own() -> None:
    """It is, whatever was freed before; by itself the C library would keep it."""
    assert (mapped("give back"), mapped("as it is")) == ("1", "0")
