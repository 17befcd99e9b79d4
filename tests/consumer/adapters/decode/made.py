"""Messages for the tests of the decoder, and what they become."""

from consumer.adapters.decode import Decoded, decode
from season import instants
from season.calendar import Calendar

ROME = Calendar("Europe/Rome")
KATHMANDU = Calendar("Asia/Kathmandu")
NOON = instants.parse("2021-06-01T13:00:00Z")


def one(value: bytes | None, key: bytes | None = b"IT", partitions: int = 4, calendar: Calendar = ROME) -> str:
    """The reason for which a message is rejected, or "" where it is taken."""
    decoded = decode([key], [value], partitions, calendar)
    assert len(decoded.rows) + len(decoded.rejected) == 1
    return decoded.rejected[0].reason if decoded.rejected else ""


def reading(zone: str = '"IT"', timestamp: str = '"2021-06-01T13:00:00Z"', demand_mw: str = "1.5") -> bytes:
    """A reading, its fields given as JSON."""
    return f'{{"zone": {zone}, "timestamp": {timestamp}, "demand_mw": {demand_mw}}}'.encode()


def rows(decoded: Decoded) -> list[tuple[int, str, int, str]]:
    """What was taken, to the bit."""
    text = decoded.readings.text.tobytes()
    return [
        (
            int(row),
            text[record["name_start"] : record["name_start"] + record["name_length"]].decode(),
            int(record["instant"]),
            float(record["demand"]).hex(),
        )
        for row, record in zip(decoded.rows, decoded.readings.records, strict=True)
    ]
