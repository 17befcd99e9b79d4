"""What the client's lines about requests tell of the broker's version."""

import pytest

from consumer.check.broker import version


@pytest.mark.parametrize(
    ("newest", "says"),
    [(13, "Apache Kafka 4.1 or later"), (14, "Apache Kafka 4.1 or later"), (11, "Apache Kafka 3.8 or later")],
)
def test_the_newest_form_of_a_request_tells_the_least_version(newest: int, says: str) -> None:
    """The version itself is not told by the client."""
    lines = ["waiting for the broker", f"APIVERSION [thrd:b]: b:   ApiKey Produce (0) Versions 0..{newest}"]
    assert version(lines).startswith(says)


@pytest.mark.parametrize("lines", [[], ["ApiKey Fetch (1) Versions 4..18"], ["ApiKey Produce (0) Versions 0..3"]])
def test_without_it_nothing_is_claimed(lines: list[str]) -> None:
    """Neither where the line is missing nor for a broker that is older than what is known here."""
    assert version(lines) == "its version cannot be told"
