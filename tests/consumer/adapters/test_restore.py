"""One partition's restore: in which order the broker is asked, and what is read meanwhile."""

from typing import Any, cast

from consumer.adapters.restore import _Reading
from season.calendar import Calendar


class FakeAnswer:
    """The answer to a question, told once `told` is true."""

    def __init__(self, value: int | None, *, told: bool = True) -> None:
        self.value, self.told = value, told

    def answered(self) -> bool:
        """Whether it is there."""
        return self.told


class FakeBroker:
    """Notes what it is asked; the readings' end is told when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.last = FakeAnswer(10, told=False)

    def __getattr__(self, question: str) -> Any:
        def answer(_partition: int) -> FakeAnswer:
            self.asked.append(question)
            return self.last if question == "end" else FakeAnswer({"changelog_end": 5, "first": 0}.get(question))

        return answer


class Record:
    """A message that is no record of a changelog."""

    def key(self) -> bytes:
        """No number."""
        return b"x"

    def value(self) -> bytes:
        """No changes."""
        return b"x"


def test_the_readings_end_is_asked_for_when_nothing_more_is_read() -> None:
    """Records that another owner wrote since then belong to no end of before: they are not taken any more."""
    broker = FakeBroker()
    reading = _Reading(Calendar("Europe/Rome"), cast(Any, broker), 0)
    assert reading.result() is None
    assert broker.asked == ["committed", "changelog_end"]
    reading.reached = 5
    assert reading.result() is None
    assert broker.asked == ["committed", "changelog_end", "first", "end"]
    reading.apply(cast(Any, Record()))
    broker.last.told = True
    restored = reading.result()
    assert restored is not None
    assert (restored.bounds, restored.origin) == ((0, 10), None)
