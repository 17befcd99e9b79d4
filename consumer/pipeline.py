"""The way of one partition's messages: decoded, decided by the rule of windows, and scored.

Nothing here knows Kafka. In a notebook, with messages that have `key()`, `value()` and so on, and a model:

    pipeline = Pipeline(state=State(Calendar("Europe/Rome")), rules=Settings().rules)
    decision = pipeline.read(messages, pipeline.decode(messages), time.time())
    (written,) = score([(pipeline, decision)], model, limit=1_000_000)
    pipeline.state.commit()
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from consumer.adapters.decode import Decoded, Rejected, decode
from consumer.adapters.model import Model
from consumer.core.idle import IdleZones, idle_stream_times
from consumer.core.outcome import Outcome, Rules, no_windows
from consumer.core.state import State
from consumer.decision import Decision
from consumer.results import Results, results
from season import instants
from season.calendar import I64
from season.client.message import KafkaMessage

FUTURE = "future_reading"
LATE = "late"


@dataclass(kw_only=True, eq=False)
class Pipeline:
    """Decodes and decides; `partitions` is how many the topic has: on one of several, a key must be the zone.

    What it decides changes its state at once. `state.commit` keeps that, `state.rollback` takes it back.
    """

    state: State
    rules: Rules
    partitions: int = 1
    idle_zones: IdleZones = field(default_factory=lambda: IdleZones(0))

    def decode(self, messages: Sequence[KafkaMessage]) -> Decoded:
        """Return the readings among messages; this reads no state."""
        keys, values = [message.key() for message in messages], [message.value() for message in messages]
        return decode(keys, values, self.partitions, self.state.calendar)

    def read(self, messages: Sequence[KafkaMessage], decoded: Decoded, now: float) -> Decision:
        """Decide a batch of messages, which became `decoded`; `now` is the wall clock in epoch seconds."""
        known = self.state.known
        outcome = self.state.read(decoded.readings, now, self.rules)
        self.idle_zones.note_readings(outcome.accepted_zones)
        rows = np.append(decoded.rows, -1)
        times = decoded.readings.records["instant"]
        rejected = decoded.rejected + self._future(times, rows, outcome, now) + self._late(times, rows, outcome)
        return Decision(
            messages,
            rejected,
            outcome.scorings.at(rows),
            outcome.incomplete.at(rows),
            outcome.constant.at(rows),
            outcome.flattened,
            self.rules.max_filled,
            tuple(self.state.names.texts(np.arange(known, self.state.known))),
            outcome.repeats,
            outcome.corrections,
        )

    def end_overdue(self) -> Decision | None:
        """Decide which windows end because the grace period is shorter than when they were written down."""
        return self._advance(np.arange(self.state.known), self.state.stream.copy())

    def end_idle(self, passed: float) -> Decision | None:
        """Decide, after `passed` seconds more without anything to read, which windows of idle zones end."""
        self.idle_zones.pass_time(passed)
        zones = self.idle_zones.idle(self.state)
        return self._advance(zones, idle_stream_times(self.state, zones, self.rules)) if len(zones) else None

    def _advance(self, zones: I64, stream: I64) -> Decision | None:
        endings = self.state.advance(zones, stream, self.rules)
        if not self.state.changed:
            return None
        windows = (endings.scored, endings.incomplete, endings.constant, no_windows())
        return Decision((), [], *windows, self.rules.max_filled)

    def _future(self, times: I64, rows: I64, outcome: Outcome, now: float) -> list[Rejected]:
        sentence = "timestamp {} is more than {} (MAX_FUTURE) ahead of the wall clock, {}"
        return [
            Rejected(
                int(rows[i]),
                FUTURE,
                sentence.format(instants.format(int(times[i])), self.rules.max_future, instants.format(int(now))),
            )
            for i in outcome.future
        ]

    def _late(self, times: I64, rows: I64, outcome: Outcome) -> list[Rejected]:
        sentence = "timestamp {} is late: its window's end, {}, and {} of grace (GRACE_PERIOD) after it are over"
        ends = self.state.calendar.ends(outcome.late_days)
        return [
            Rejected(
                int(rows[i]),
                LATE,
                sentence.format(instants.format(int(times[i])), instants.format(int(end)), self.rules.grace_period),
            )
            for i, end in zip(outcome.late, ends, strict=True)
        ]


def score(decisions: Sequence[tuple[Pipeline, Decision]], model: Model, limit: int) -> Iterator[Results]:
    """Score the windows of all decisions in one call of the model; yield what is written of each decision.

    A dead letter has at most `limit` bytes.
    """
    if not decisions:
        return
    logits = model.score(np.concatenate([decision.scorings.steps for _, decision in decisions]))
    start = 0
    for pipeline, decision in decisions:
        end = start + len(decision.scorings.steps)
        yield results(decision, pipeline.state, logits[start:end], model, limit)
        start = end
