"""The records' format: what was once written is read for ever."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consumer.core.record import Origin, decode

# Differences, a chunk with a day of 25 hours, and a record of nothing but an offset. Made once: after the first
# release a file of this kind is never changed, a new one comes beside it.
GOLDEN = json.loads((Path(__file__).parent / "changelog_v1.json").read_text("utf-8"))


@pytest.mark.parametrize("golden", GOLDEN)
def test_records_of_version_1_are_read_for_ever(golden: dict[str, Any]) -> None:
    """Each record as it was written decodes to the changes and the origin that went into it, to the last bit."""
    changes, origin = decode(base64.b64decode(golden["record"]))
    assert origin == Origin(*golden["origin"])
    for name, told in golden["changes"].items():
        read = getattr(changes, name)
        if isinstance(read, np.ndarray):
            wanted = np.array(told, read.dtype).reshape(read.shape)  # None becomes NaN
            assert read.tobytes() == wanted.tobytes(), name
        else:
            assert read == tuple(told) if isinstance(told, list) else read == told, name
