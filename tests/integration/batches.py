"""Batches as no client would send them: Kafka's record batches and its Produce request, written by hand."""

import functools
import socket
import struct
import time
import zlib
from collections.abc import Iterable, Sequence

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_PRODUCE, _PRODUCE_VERSION = 0, 7
_ZSTD_BLOCK = 128 * 1024
# A client that unpacks no more than 2 MB fails at once on what the usual one takes 100 MB to fail on.
SMALL = {"KAFKA_FETCH_MAX_BYTES": "1000000", "KAFKA_RECEIVE_MESSAGE_MAX_BYTES": "2000000"}

Bytes = bytes | None


def record(
    number: int, key: Bytes, value: Bytes, headers: Iterable[tuple[bytes, Bytes]] = (), key_size: int | None = None
) -> bytes:
    """One record of a batch; `key_size` is told instead of the key's own."""
    head, tail = around(number, key, -1 if value is None else len(value), list(headers), key_size)
    return head + (value or b"") + tail


def around(
    number: int,
    key: Bytes,
    value_size: int,
    headers: Sequence[tuple[bytes, Bytes]] = (),
    key_size: int | None = None,
) -> tuple[bytes, bytes]:
    """What stands before and behind a record's value of so many bytes."""
    size = (-1 if key is None else len(key)) if key_size is None else key_size
    head = b"\0" + _varint(0) + _varint(number) + _varint(size) + (key or b"") + _varint(value_size)
    tail = _varint(len(headers)) + b"".join(_varint(len(name)) + name + _sized(value) for name, value in headers)
    return _varint(len(head) + max(0, value_size) + len(tail)) + head, tail


def batch(records: bytes, count: int, codec: int = 0) -> bytes:
    """A batch of `count` records, which `codec` says to be compressed; its checksum is right."""
    now = int(time.time() * 1000)
    body = struct.pack(">hiqqqhii", codec, count - 1, now, now, -1, -1, -1, count) + records
    return struct.pack(">qiibI", 0, len(body) + 9, -1, 2, crc32c(body)) + body


def zstd(before: bytes, byte: bytes, times: int, behind: bytes) -> bytes:
    """A zstd frame of `before`, one byte repeated, and `behind`: four bytes for each 128 KiB of it."""
    full, rest = divmod(times, _ZSTD_BLOCK)
    blocks = [(0, len(before), before), *[(1, _ZSTD_BLOCK, byte)] * full, (1, rest, byte), (0, len(behind), behind)]
    # The size of the content is not told; the window takes 128 KiB.
    frame = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\x38"
    for place, (kind, size, data) in enumerate(blocks):
        frame += (size << 3 | kind << 1 | (place == len(blocks) - 1)).to_bytes(3, "little") + data
    return frame


def gzip(data: bytes) -> bytes:
    """Data as gzip."""
    compressor = zlib.compressobj(9, wbits=31)
    return compressor.compress(data) + compressor.flush()


def mute(before: int, count: int) -> bytes:
    """A batch with `count` records that librdkafka cannot parse, and says nothing of, behind good ones."""
    good = b"".join(record(number, b"good", b"{}") for number in range(before))
    bad = b"".join(record(number, None, b"{}", key_size=-2) for number in range(before, before + count))
    return batch(good + bad, before + count)


def wild(*numbers: int) -> bytes:
    """A batch whose records say that they stand in other places of it: the broker lets that pass."""
    return batch(b"".join(record(number, b"wild", b"{}") for number in numbers), len(numbers))


def bomb(count: int, size: int) -> bytes:
    """A batch of zstd with `count` records, the first of which has a value of `size` bytes."""
    head, tail = around(0, b"bomb", size)
    others = b"".join(record(number, b"bomb", b"{}") for number in range(1, count))
    return batch(zstd(head, b"x", size, tail + others), count, ZSTD)


def send(servers: str, topic: str, partition: int, sent: bytes) -> int:
    """Sends a batch to the leader (the only broker); the offset of its first record."""
    name = _text(topic)
    request = struct.pack(">hhi", _PRODUCE, _PRODUCE_VERSION, 1) + _text("by hand")
    request += _text(None) + struct.pack(">hii", -1, 30000, 1)  # all replicas, 30 s, one topic
    request += name + struct.pack(">iii", 1, partition, len(sent)) + sent
    host, port = servers.split(":")
    with socket.create_connection((host, int(port)), 30) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = _exactly(connection, struct.unpack(">i", _exactly(connection, 4))[0])
    error, offset = struct.unpack_from(">hq", answer, 4 + 4 + len(name) + 4 + 4)
    assert error == 0, f"the broker refuses the batch: error {error}"
    return int(offset)


def crc32c(data: bytes) -> int:
    """The checksum of a record batch (Castagnoli's)."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


@functools.cache
def _table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        assert part, "the broker closed the connection"
        data += part
    return data


def _text(text: str | None) -> bytes:
    return struct.pack(">h", -1) if text is None else struct.pack(">h", len(text.encode())) + text.encode()


def _sized(data: Bytes) -> bytes:
    return _varint(-1) if data is None else _varint(len(data)) + data


def _varint(number: int) -> bytes:
    zigzag, out = number << 1 ^ number >> 63, bytearray()
    while zigzag > 0x7F:
        out.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)
