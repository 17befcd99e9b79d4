"""Makes dead letters: messages that say why a reading or a window did not become a prediction.

The letter of a message has its key, value and headers unchanged, with our headers behind them. Parts that do not fit,
or that the client cannot read, are left out, and `error` says so: no message stops the stream.
"""

from dataclasses import dataclass

from season.calendar import I64
from season.client.message import Headers, KafkaMessage, headers_of
from season.messages import F64, encode_window
from season.topics import DEAD_LETTER_BYTES

INCOMPLETE = "incomplete_window"
CONSTANT = "constant_window"
UNSCORABLE = "unscorable_window"

# The bytes that a batch with one record adds to key, value and headers, rounded up; and those for each header.
_RECORD_OVERHEAD_BYTES = 128
_HEADER_OVERHEAD_BYTES = 10


@dataclass(frozen=True)
class Letter:
    """A dead letter as it is written to its topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, eq=False)
class LetterWindow:
    """A window without a prediction: its edges and hours in epoch seconds.

    `hours` and `demands` [k] are the readings in force, `missing` [m] the hours without one, in order of time.
    """

    zone: str
    start: int
    end: int
    hours: I64
    demands: F64
    missing: I64


def of_message(message: KafkaMessage, reason: str, error: str, limit: int = DEAD_LETTER_BYTES) -> Letter:
    """Return the letter of a message that was not accepted, at most `limit` bytes long with its headers."""
    source: Headers = [
        ("source.topic", str(message.topic()).encode()),
        ("source.partition", str(message.partition()).encode()),
        ("source.offset", str(message.offset()).encode()),
    ]
    key, value = message.key(), message.value()
    headers, left_out = _headers_of(message)

    def letter() -> Letter:
        why = "; ".join([error, *left_out])
        return Letter(key, value, [*headers, *_reason(reason, why), *source])

    if value is not None and _size(letter()) > limit:
        left_out.append(f"the value of {len(value)} bytes is left out, a dead letter has at most {limit} bytes")
        value = None
    if headers and _size(letter()) > limit:
        left_out.append(f"{len(headers)} headers are left out as well")
        headers = []
    if key is not None and _size(letter()) > limit:
        left_out.append(f"the key of {len(key)} bytes is left out as well")
        key = None
    return letter()


def incomplete(window: LetterWindow, max_filled: int) -> Letter:
    """Return the letter of a window that ended with more hours missing than are filled."""
    missing = len(window.missing)
    error = (
        f"{missing} of {missing + len(window.hours)} hours are missing, "
        f"at most {max_filled} (MAX_FILLED_HOURS) are filled"
    )
    return _of_window(window, INCOMPLETE, error)


def constant(window: LetterWindow) -> Letter:
    """Return the letter of a window that ended while all its steps were equal."""
    error = "the 24 steps are all equal as 32-bit floats: a shape without a season, most likely a broken meter"
    return _of_window(window, CONSTANT, error)


def unscorable(window: LetterWindow, revision: int, model: str, model_version: str) -> Letter:
    """Return the letter that replaces the prediction with that `revision`."""
    error = f"the logit of the model {model} (version {model_version}) is not finite"
    return _of_window(window, UNSCORABLE, error, revision)


def _of_window(window: LetterWindow, reason: str, error: str, revision: int | None = None) -> Letter:
    value = encode_window(
        window.zone, window.start, window.end, window.hours, window.demands, window.missing, revision
    )
    return Letter(window.zone.encode(), value, _reason(reason, error))


def _headers_of(message: KafkaMessage) -> tuple[Headers, list[str]]:
    """Return a message's headers, and a sentence for what is left out of them."""
    headers = headers_of(message)
    return (headers, []) if headers is not None else ([], ["all headers are left out, the name of one is not UTF-8"])


def _reason(reason: str, error: str) -> Headers:
    return [("reason", reason.encode()), ("error", error.encode(errors="backslashreplace"))]


def _size(letter: Letter) -> int:
    """Return how many bytes a letter takes on the topic, at most."""
    headers = sum(len(name.encode()) + len(value or b"") + _HEADER_OVERHEAD_BYTES for name, value in letter.headers)
    return len(letter.key or b"") + len(letter.value or b"") + headers + _RECORD_OVERHEAD_BYTES
