"""What was published is held to what had to come out: one that is missing or doubled makes a benchmark fail."""

from collections import Counter

import pytest

from benchmarks.outputs import Outputs, WrongOutputsError, check

EXPECTED = Outputs(1000, Counter(late=3, malformed=2))


def test_the_right_outputs_pass() -> None:
    """Also where a reason that did not come is counted as 0."""
    check("service", EXPECTED, Outputs(1000, Counter(late=3, malformed=2, key_mismatch=0)))


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Outputs(999, EXPECTED.letters), "999 predictions where 1,000 were expected"),
        (Outputs(1001, EXPECTED.letters), "1,001 predictions where 1,000 were expected"),
        (Outputs(1000, Counter(late=3)), "0 dead letters `malformed` where 2 were expected"),
        (Outputs(1000, Counter(late=4, malformed=2)), "4 dead letters `late` where 3 were expected"),
        (Outputs(1000, Counter(late=3, malformed=2, bad_timestamp=1)), "1 dead letters `bad_timestamp` where 0"),
    ],
)
def test_one_that_is_missing_or_too_many_fails(found: Outputs, sentence: str) -> None:
    """The sentence names the contender, what is wrong and by how much."""
    with pytest.raises(WrongOutputsError, match=sentence) as raised:
        check("bare loop", EXPECTED, found)
    assert "bare loop" in str(raised.value)
