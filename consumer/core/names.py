"""The names of a partition's zones: from bytes to a zone's number and back, without an object for each.

A hash table of numbers with linear probing. An abort removes names in the reverse order in which they were added: the
names that stay were added before, never had to pass the slot that becomes free, and are still found.
"""

import secrets
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from consumer.compiled import compiled, eight
from consumer.core.columns import I32, READING, U8, Records, lengthened
from season.calendar import I64

_FNV_PRIME = 0x00000100000001B3  # FNV's for 64 bits, http://www.isthe.com/chongo/tech/comp/fnv/
_MASK = 2**63 - 1  # so that a hash is the same compiled, where numbers end at 64 bits, and not


class Names:
    """The names of one partition's zones, numbered from 0 in the order in which they came."""

    def __init__(self) -> None:
        self._slots = np.full(64, -1, np.int32)  # a power of two of them, at most half of them used
        self._starts = np.zeros(32, np.int64)  # where each name begins in the text, and the end of the last
        self._text = np.empty(512, np.uint8)
        self._count = 0
        # A seed that nobody knows, so that nobody can choose names that share a slot.
        self._seed = secrets.randbits(32)

    def __len__(self) -> int:
        return self._count

    def number(self, text: U8, readings: Records) -> None:
        """Write into the `readings` the numbers of their zones, whose names stand in `text`; new ones are added."""
        at = 0
        while True:
            names = self._slots, self._starts, self._text
            at, self._count = number_names(names, self._count, self._seed, text, readings, at)
            if at == len(readings):
                return
            self._make_room(int(readings[at]["name_length"]))

    def add(self, names: Sequence[str]) -> None:
        """Add names that are new."""
        encoded = [name.encode() for name in names]
        readings = np.zeros(len(encoded), READING)
        readings["name_length"] = [len(name) for name in encoded]
        readings["name_start"] = np.cumsum(readings["name_length"]) - readings["name_length"]
        self.number(np.frombuffer(b"".join(encoded), np.uint8), readings)

    def texts(self, numbers: NDArray[np.int_]) -> list[str]:
        """Return the names of zones."""
        starts, ends = self._starts[numbers].tolist(), self._starts[np.asarray(numbers) + 1].tolist()
        return [self._text[start:end].tobytes().decode() for start, end in zip(starts, ends, strict=True)]

    def cut(self, count: int) -> None:
        """Forget the zones from number `count` on."""
        cut_names(self._slots, self._starts, self._text, self._seed, self._count, count)
        self._count = count

    def _make_room(self, size: int) -> None:
        """Make room for another name of `size` bytes, and some more."""
        count, end = self._count, int(self._starts[self._count])
        if count + 1 >= len(self._starts):
            self._starts = lengthened(self._starts, 2 * len(self._starts), count + 1)
        if end + size > len(self._text):
            self._text = lengthened(self._text, 2 * (end + size), end)
        if 2 * (count + 1) > len(self._slots):
            self._slots = np.full(2 * len(self._slots), -1, np.int32)
            enter_all(self._slots, self._starts, self._text, self._seed, count)


@compiled
def number_names(
    names: tuple[I32, I64, U8], count: int, seed: int, text: U8, readings: Records, first: int
) -> tuple[int, int]:
    """Write the numbers of their zones into readings, from reading `first` on; a new name gets the next number.

    Returns the index of the reading for whose new name there is no room (or how many readings there are), and how
    many zones there are then.
    """
    slots, starts, known = names
    for i in range(first, len(readings)):
        start, length = readings[i]["name_start"], readings[i]["name_length"]
        hashed = hash_of(text, start, length, seed)
        number = find_name(slots, starts, known, text, start, length, hashed)
        if number < 0:
            full = 2 * (count + 1) > len(slots) or count + 1 >= len(starts)
            if full or starts[count] + length > len(known):
                return i, count
            number = count
            for k in range(length):
                known[starts[number] + k] = text[start + k]
            starts[number + 1] = starts[number] + length
            slots[slot_that_holds(slots, hashed, -1)] = number
            count += 1
        readings[i]["zone"] = number
    return len(readings), count


@compiled
def find_name(slots: I32, starts: I64, known: U8, text: U8, start: int, length: int, hashed: int) -> int:
    """Return the number of the name of `length` bytes at `start` of `text`, -1 where it has none."""
    last = len(slots) - 1  # a power of two less one: `& last` is the remainder
    slot = hashed & last
    while slots[slot] >= 0:  # a free slot (-1) ends the search
        number: int = slots[slot]
        first = starts[number]
        if starts[number + 1] - first == length and same(known, first, text, start, length):
            return number
        slot = (slot + 1) & last
    return -1


@compiled
def slot_that_holds(slots: I32, hashed: int, number: int) -> int:
    """Return the first slot from that of a hash on that holds this number (-1: the first free one)."""
    last = len(slots) - 1
    slot = hashed & last
    while slots[slot] != number:
        slot = (slot + 1) & last
    return slot


@compiled
def enter_all(slots: I32, starts: I64, known: U8, seed: int, count: int) -> None:
    """Put every number into a free slot."""
    for number in range(count):
        hashed = hash_of(known, starts[number], starts[number + 1] - starts[number], seed)
        slots[slot_that_holds(slots, hashed, -1)] = number


@compiled
def cut_names(slots: I32, starts: I64, known: U8, seed: int, count: int, first_cut: int) -> None:
    """Empty the slots of the numbers from `first_cut` on, the latest first."""
    for number in range(count - 1, first_cut - 1, -1):
        hashed = hash_of(known, starts[number], starts[number + 1] - starts[number], seed)
        slots[slot_that_holds(slots, hashed, number)] = -1


@compiled
def hash_of(text: U8, start: int, length: int, seed: int) -> int:
    """Return a hash of `length` bytes in 63 bits, from a seed of ours: FNV-1a's step, but for eight bytes at once.

    Its high bits are mixed into the low ones, which choose the slot.
    """
    value, at, end = seed ^ int(length), start, start + length
    while at + 8 <= end:
        value = ((value ^ eight(text, at)) * _FNV_PRIME) & _MASK
        value ^= value >> 32
        at += 8
    while at < end:
        value = ((value ^ int(text[at])) * _FNV_PRIME) & _MASK
        at += 1
    return value ^ (value >> 32)


@compiled
def same(one: U8, first: int, other: U8, start: int, length: int) -> bool:
    """Return whether `length` bytes are the same in both texts: eight at a time, the last ones one by one."""
    k = 0
    while k + 8 <= length:
        if eight(one, first + k) != eight(other, start + k):
            return False
        k += 8
    while k < length:
        if one[first + k] != other[start + k]:
            return False
        k += 1
    return True
