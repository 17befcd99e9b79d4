"""Watches for partitions that stand still before messages that no client can read, and finds their offsets.

For a batch that it cannot unpack the client reports an error again and again. For a record that it cannot parse it
reports nothing, but its statistics show a partition that does not move although answers come. Either starts a `Trial`
with a client of its own, which finds out which of the next offsets cannot be read.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from season.trial import Trial, partial

STATISTICS = {"statistics.interval.ms": 2000}
"""What the watched client needs among its properties; `note_statistics` is its `stats_cb`."""
_MAX_STALLED_STATISTICS = 3  # in a row, before a trial starts


@dataclass
class _Flow:
    """A partition that flows.

    `start` is its first offset until a message has come, `stood` the next offset in the last statistics, and
    `stalled` how often in a row that has not moved.
    """

    start: int | None
    stood: int = -1
    stalled: int = 0
    trial: Trial | None = None


class Standstills:
    """The partitions of one topic that flow. Not for use by several threads."""

    def __init__(self, properties: Mapping[str, Any], topic: str, warn: Callable[..., object]) -> None:
        """Get the `properties` of a consumer that is no member of a group; `warn` logs what is tried."""
        self._properties, self._topic, self._warn = dict(properties), topic, warn
        self._flows: dict[int, _Flow] = {}
        self._partial = 0

    @property
    def trying(self) -> bool:
        """Return whether a trial is running: then `proceed` should be called soon again."""
        return any(flow.trial is not None for flow in self._flows.values())

    def begin(self, partition: int, offset: int) -> None:
        """Note that a partition flows from an offset."""
        self.forget([partition])
        self._flows[partition] = _Flow(offset)

    def forget(self, partitions: Iterable[int]) -> None:
        """Note that these partitions do not flow any more."""
        for partition in partitions:
            flow = self._flows.pop(partition, None)
            if flow is not None and flow.trial is not None:
                flow.trial.close()

    def close(self) -> None:
        """End the trials."""
        self.forget(list(self._flows))

    def start(self, partition: int) -> int:
        """Return the offset from which a partition flows, until its first message has come; then 0."""
        flow = self._flows.get(partition)
        return 0 if flow is None or flow.start is None else flow.start

    def came(self, partition: int, last: int | None) -> None:
        """Note that messages up to offset `last` came, or the partition's end (None): it does not stand still."""
        flow = self._flows.get(partition)
        if flow is None:
            return
        flow.start, flow.stalled = None, 0
        if flow.trial is not None and (last is None or last >= flow.trial.first):
            flow.trial.close()
            flow.trial = None

    def doubt(self, partition: int, offset: int, why: str) -> None:
        """Try what can be read from this offset on; `why` is logged."""
        flow = self._flows.get(partition)
        if flow is not None and flow.trial is None:
            offset = max(offset, flow.start or 0)
            self._warn("trying what can be read", partition=partition, offset=offset, why=why)
            flow.trial = Trial(self._properties, self._topic, partition, offset)

    def note_statistics(self, text: str) -> None:
        """Count how often a partition has not moved although answers came."""
        statistics = json.loads(text)
        partitions = statistics["topics"].get(self._topic, {}).get("partitions", {})
        before, self._partial = self._partial, partial(statistics)
        for number, flow in self._flows.items():
            at = partitions.get(str(number), {})
            offset = at.get("next_offset", -1)
            stands = 0 <= offset < at.get("ls_offset", -1) and at["fetchq_cnt"] == 0 and offset == flow.stood
            flow.stood, flow.stalled = offset, flow.stalled + 1 if stands and self._partial > before else 0

    def proceed(self) -> dict[int, range]:
        """Go on with the trials; return the next offsets that cannot be read, by partition."""
        unreadable: dict[int, range] = {}
        for partition, flow in self._flows.items():
            if flow.stalled >= _MAX_STALLED_STATISTICS:
                flow.stalled = 0
                self.doubt(partition, flow.stood, "nothing comes, though there is more")
            found = flow.trial.unreadable() if flow.trial is not None else None
            if flow.trial is not None and found is not None:
                flow.trial.close()
                flow.trial = None
                if found:
                    unreadable[partition] = found
        return unreadable
