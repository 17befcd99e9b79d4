"""Reads readings of the usual form from bytes into columns, in one compiled loop.

The usual form is JSON whose fields are in any order, among further fields that hold strings, numbers, true, false or
null; whose strings have no escapes; whose timestamp is `2021-06-01T13:00:00Z` or has an offset such as `+02:00` in
place of the `Z`; whose demand has at most 15 digits. Everything else, and everything that is wrong, is left to
`season.messages`, which decides. So this reader need not say why, and accepts nothing that the rule refuses.
"""

import numpy as np

from consumer.compiled import compiled
from consumer.core.columns import U8, Records
from consumer.core.names import same
from season.calendar import I64, Bool
from season.messages import MAX_ZONE_BYTES

NULL = -1
"""The length of what is null."""

_ZONE, _TIMESTAMP, _DEMAND = 1, 2, 4  # the fields, as bits of what was seen
_ALL = _ZONE | _TIMESTAMP | _DEMAND
_FIELDS = np.frombuffer(b"zonetimestampdemand_mw", np.uint8)
_WORDS = np.frombuffer(b"truefalsenull", np.uint8)
_NO = -1  # returned instead of a position: the text is not of the usual form
_MAX_EXACT_DIGITS = 15  # an integer of 15 digits is below 2**53
_MAX_EXPONENT_BYTES = 8  # so that an exponent fits a 64-bit integer
_MAX_EXACT_POWER = 22  # 10**22 is the largest power of ten that a 64-bit float holds exactly
_POWERS = 10.0 ** np.arange(_MAX_EXACT_POWER + 1)
_DAYS_BEFORE = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365], np.int64)  # each month

_QUOTE, _COMMA, _COLON, _OPEN, _CLOSE = (ord(c) for c in '",:{}')
_MINUS, _PLUS, _POINT, _ZERO, _NINE, _SMALL_E, _LARGE_E = (ord(c) for c in "-+.09eE")
_SPACE, _BEYOND_ASCII = 0x20, 0x80
_T, _Z = ord("T"), ord("Z")
_IS_SPACE = np.isin(np.arange(256), [ord(c) for c in " \t\n\r"])
_IS_PLAIN = (
    (np.arange(256) >= _SPACE) & (np.arange(256) < _BEYOND_ASCII) & ~np.isin(np.arange(256), [ord('"'), ord("\\")])
)
"""The characters of a string that are themselves and take one byte."""


@compiled
def read_usual(
    text: U8, starts: I64, lengths: I64, keys: U8, key_starts: I64, key_lengths: I64, null_keys: bool,
    records: Records, usual: Bool,
) -> None:  # fmt: skip
    """Read the values of `lengths` [n] at `starts` [n] of `text` into `records` [n], where they are `usual` [n].

    A key (in `keys`) that is not the reading's zone makes the reading unusual, except a null one if `null_keys`.
    """
    marks, gaps = np.empty(4, np.int64), np.full((4, 2), _NO, np.int64)
    for i in range(len(starts)):
        start, end = starts[i], starts[i] + lengths[i]
        usual[i] = read_alike(text, start, end, gaps, records[i])
        if not usual[i]:
            at = space(text, start, end)
            if at < end and text[at] == _OPEN and read_object(text, at + 1, end, marks, records[i]):
                usual[i] = True
                learn_gaps(gaps, start, end, marks, records[i])
        if usual[i]:
            length = records[i]["name_length"]
            if key_lengths[i] == length:
                usual[i] = same(keys, key_starts[i], text, records[i]["name_start"], length)
            else:
                usual[i] = key_lengths[i] == NULL and null_keys


@compiled
def learn_gaps(gaps: I64, start: int, end: int, marks: I64, record: np.void) -> None:
    """Note where the text before, between and behind the values of an object stands, and its length.

    Only where zone, timestamp and demand come in this order, as they do from most publishers.
    """
    zone, zone_end = record["name_start"], record["name_start"] + record["name_length"]
    stamp, stamp_end, number_at, number_end = marks[0], marks[1], marks[2], marks[3]
    if zone < stamp < number_at:
        gaps[0, 0], gaps[0, 1] = start, zone - start
        gaps[1, 0], gaps[1, 1] = zone_end, stamp - zone_end
        gaps[2, 0], gaps[2, 1] = stamp_end, number_at - stamp_end
        gaps[3, 0], gaps[3, 1] = number_end, end - number_end


@compiled
def read_alike(text: U8, start: int, end: int, gaps: I64, record: np.void) -> bool:
    """Read an object that has the same text as an earlier one around its three values: half the work."""
    at = gap(text, start, end, gaps, 0)
    if at == _NO:
        return False
    name_end = string(text, at - 1, end) - 1  # from the quote before it to the one behind it
    record["name_start"], record["name_length"] = at, name_end - at
    if not 0 < name_end - at <= MAX_ZONE_BYTES:
        return False
    at = gap(text, name_end, end, gaps, 1)
    stamp_end = at + gaps[2, 0] - (gaps[1, 0] + gaps[1, 1])
    if at == _NO or stamp_end > end or not timestamp(text, at, stamp_end, record):
        return False
    at = gap(text, stamp_end, end, gaps, 2)
    if not 0 <= at < end:  # a position, and something there
        return False
    at = demand(text, at, end, record)
    return at != _NO and gap(text, at, end, gaps, 3) == end


@compiled
def gap(text: U8, at: int, end: int, gaps: I64, number: int) -> int:
    """Return the position behind what stands at `at`, if that is the text of a gap."""
    start, length = gaps[number, 0], gaps[number, 1]
    return at + length if 0 <= length <= end - at and same(text, at, text, start, length) else _NO


@compiled
def read_object(text: U8, at: int, end: int, marks: I64, record: np.void) -> bool:
    """Read an object into the record; return whether it is of the usual form, with nothing but space behind it.

    `marks` [4] gets where the timestamp begins and ends, and the demand.
    """
    seen = 0
    while True:
        name = space(text, at, end)
        if name >= end or text[name] != _QUOTE:
            return False
        name_end = string(text, name, end)
        if name_end == _NO:
            return False
        at = space(text, name_end, end)
        if at >= end or text[at] != _COLON:
            return False
        at = space(text, at + 1, end)
        field = field_of(text, name + 1, name_end - 1)
        at = value(text, at, end, field, marks, record)
        if at == _NO or seen & field:  # a field comes twice; further ones (0) may
            return False
        seen |= field
        at = space(text, at, end)
        if at >= end:
            return False
        if text[at] == _CLOSE:
            return seen == _ALL and space(text, at + 1, end) == end
        if text[at] != _COMMA:
            return False
        at += 1


@compiled
def field_of(text: U8, start: int, end: int) -> int:
    """Return which of the three fields a name is, 0 for none of them."""
    if end - start == 4 and same(_FIELDS, 0, text, start, 4):
        return _ZONE
    if end - start == 9 and same(_FIELDS, 4, text, start, 9):
        return _TIMESTAMP
    if end - start == 9 and same(_FIELDS, 13, text, start, 9):
        return _DEMAND
    return 0


@compiled
def value(text: U8, at: int, end: int, field: int, marks: I64, record: np.void) -> int:
    """Read a member's value into the record; return the position behind it."""
    if at >= end:
        return _NO
    if field == _DEMAND:
        marks[2], marks[3] = at, demand(text, at, end, record)
        return int(marks[3])
    if text[at] == _QUOTE:
        close = string(text, at, end)
        if close == _NO:
            return _NO
        if field == _ZONE:
            record["name_start"], record["name_length"] = at + 1, close - at - 2
            return close if 0 < close - at - 2 <= MAX_ZONE_BYTES else _NO
        if field == _TIMESTAMP:
            marks[0], marks[1] = at + 1, close - 1
            return close if timestamp(text, at + 1, close - 1, record) else _NO
        return close
    if field != 0:
        return _NO
    # Letters are above the digits, and a minus is below them.
    return word(text, at, end) if text[at] > _NINE else number(text, at, end)


@compiled
def space(text: U8, at: int, end: int) -> int:
    """Return the position of the first byte from `at` on that is no white space."""
    while at < end and text[at] <= _SPACE and _IS_SPACE[text[at]]:
        at += 1
    return at


@compiled
def string(text: U8, at: int, end: int) -> int:
    """Return the position behind a string without escapes that begins at `at`."""
    at += 1
    while at < end:
        if _IS_PLAIN[text[at]]:
            at += 1
        elif text[at] == _QUOTE:
            return at + 1
        elif text[at] < _BEYOND_ASCII:
            return _NO
        else:
            at = character(text, at, end)
            if at == _NO:
                return _NO
    return _NO


@compiled
def character(text: U8, at: int, end: int) -> int:
    """Return the position behind a character of several bytes; its second byte has limits of its own (RFC 3629)."""
    first = text[at]
    low, high, more = 0x80, 0xBF, 1
    if 0xE0 <= first <= 0xEF:
        more = 2
        low = 0xA0 if first == 0xE0 else 0x80
        high = 0x9F if first == 0xED else 0xBF  # no surrogates
    elif 0xF0 <= first <= 0xF4:
        more = 3
        low = 0x90 if first == 0xF0 else 0x80
        high = 0x8F if first == 0xF4 else 0xBF
    elif not 0xC2 <= first <= 0xDF:
        return _NO
    if at + more >= end or not low <= text[at + 1] <= high:
        return _NO
    for k in range(2, more + 1):
        if text[at + k] & 0xC0 != 0x80:
            return _NO
    return at + more + 1


@compiled
def word(text: U8, at: int, end: int) -> int:
    """Return the position behind true, false or null."""
    size, first = 4, 0
    if text[at] == _WORDS[4]:
        size, first = 5, 4
    elif text[at] == _WORDS[9]:
        first = 9
    return at + size if at + size <= end and same(_WORDS, first, text, at, size) else _NO


@compiled
def digits(text: U8, at: int, end: int) -> int:
    """Return the position behind the digits from `at` on."""
    while at < end and _ZERO <= text[at] <= _NINE:
        at += 1
    return at


@compiled
def number(text: U8, at: int, end: int) -> int:
    """Return the position behind a number as JSON writes it."""
    if text[at] == _MINUS:
        at += 1
    first, at = at, digits(text, at, end)
    if at == first or (text[first] == _ZERO and at > first + 1):
        return _NO
    if at < end and text[at] == _POINT:
        first, at = at + 1, digits(text, at + 1, end)
        if at == first:
            return _NO
    if at < end and (text[at] == _SMALL_E or text[at] == _LARGE_E):
        return exponent_end(text, at + 1, end)
    return at


@compiled
def exponent_end(text: U8, at: int, end: int) -> int:
    """Return the position behind an exponent, from behind its E."""
    if at < end and (text[at] == _MINUS or text[at] == _PLUS):
        at += 1
    behind = digits(text, at, end)
    return behind if behind > at else _NO


@compiled
def demand(text: U8, at: int, end: int, record: np.void) -> int:
    """Read a number of at most 15 digits exactly; return the position behind it.

    An integer below 2**53 and a power of ten up to 10**22 are both exact as 64-bit floats, so that one multiplication
    or division rounds once, as the rule does (Clinger, "How to read floating point numbers accurately", 1990).
    """
    negative = text[at] == _MINUS
    first = at + negative
    mantissa, at = 0, first
    while at < end and _ZERO <= text[at] <= _NINE:
        mantissa = 10 * mantissa + int(text[at]) - _ZERO
        at += 1
    count, power = at - first, 0
    if count == 0 or (count > 1 and text[first] == _ZERO):
        return _NO
    if at < end and text[at] == _POINT:
        first, at = at + 1, at + 1
        while at < end and _ZERO <= text[at] <= _NINE:
            mantissa = 10 * mantissa + int(text[at]) - _ZERO
            at += 1
        power = first - at  # each digit behind the point divides by ten
        if power == 0:
            return _NO
    if count - power > _MAX_EXACT_DIGITS or (mantissa == 0 and negative):
        return _NO
    if at < end and (text[at] == _SMALL_E or text[at] == _LARGE_E):
        behind = exponent_end(text, at + 1, end)
        if behind == _NO or behind - at > _MAX_EXPONENT_BYTES:
            return _NO
        power += exponent(text, at + 1, behind)
        at = behind
    if power > _MAX_EXACT_POWER or power < -_MAX_EXACT_POWER:
        return _NO
    size = mantissa * _POWERS[power] if power >= 0 else mantissa / _POWERS[-power]
    record["demand"] = -size if negative else size
    return at


@compiled
def exponent(text: U8, at: int, end: int) -> int:
    """Return the exponent of a number, from behind its E."""
    negative = text[at] == _MINUS
    if negative or text[at] == _PLUS:
        at += 1
    power = 0
    for k in range(at, end):
        power = 10 * power + int(text[k]) - _ZERO
    return -power if negative else power


@compiled
def two(text: U8, at: int) -> int:
    """Return the number of two digits; for other bytes 100,000, which no part of a timestamp may be."""
    tens, ones = int(text[at]) - _ZERO, int(text[at + 1]) - _ZERO
    return 10 * tens + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else 100_000


@compiled
def timestamp(text: U8, at: int, end: int, record: np.void) -> bool:
    """Read a timestamp of the usual form; return whether it is one, from 1970 on."""
    zulu = end - at == 20 and text[at + 19] == _Z
    if not zulu and end - at != 25:
        return False
    marks = text[at + 4] == _MINUS and text[at + 7] == _MINUS and text[at + 10] == _T
    if not marks or text[at + 13] != _COLON or text[at + 16] != _COLON:
        return False
    year = 100 * two(text, at) + two(text, at + 2)
    month, day = two(text, at + 5), two(text, at + 8)
    hour, minute, second = two(text, at + 11), two(text, at + 14), two(text, at + 17)
    if not 1970 <= year <= 9999 or not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= day <= _DAYS_BEFORE[month] - _DAYS_BEFORE[month - 1] + (leap and month == 2):
        return False
    before = year - 1
    # 477 is the number of leap days before 1970.
    days = 365 * (year - 1970) + before // 4 - before // 100 + before // 400 - 477
    days += int(_DAYS_BEFORE[month - 1]) + (leap and month > 2) + day - 1
    instant = 86400 * days + 3600 * hour + 60 * minute + second
    if not zulu:
        ahead, minutes = two(text, at + 20), two(text, at + 23)
        sign = text[at + 19]
        if text[at + 22] != _COLON or ahead > 23 or minutes > 59 or (sign != _PLUS and sign != _MINUS):
            return False
        offset = 3600 * ahead + 60 * minutes
        instant += offset if sign == _MINUS else -offset
    record["instant"] = instant
    return bool(instant >= 0)
