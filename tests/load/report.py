"""What a soak's samples come to: a table, whether each curve levels off, and sentences."""

import math
from collections.abc import Sequence

from tests.load.process import MB
from tests.load.samples import NAN, Sample
from tests.load.verdict import CurveVerdict, judge

# How much a curve may rise over the second half of the run, as a share of its mean there.
_LITTLE = 0.05
# The changelog goes up and down by whole segments, and the markers of its transactions are kept for an hour.
_CHANGELOG = 0.25


def verdicts(samples: Sequence[Sample]) -> list[CurveVerdict]:
    """What each curve does."""
    times = [sample.seconds for sample in samples]
    first = [sample.members[0] for sample in samples]
    others = [[m.resident_bytes for m in s.members[1:] if not math.isnan(m.resident_bytes)] for s in samples]
    memory, handles, threads = zip(*[(m.resident_bytes, m.handles, m.threads) for m in first], strict=True)
    return [
        judge("memory of the member that is never stopped, bytes", times, memory, _LITTLE),
        judge("memory of the largest of the others, bytes", times, [max(m, default=NAN) for m in others], _LITTLE),
        judge("open file handles of the first", times, handles, _LITTLE),
        judge("threads of the first", times, threads, _LITTLE),
        judge("the changelog on the disk, bytes", times, [s.changelog_bytes for s in samples], _CHANGELOG),
    ]


def sentence(verdict: CurveVerdict, judged: bool) -> str:
    """A verdict for a person; of a run that was too short nothing is judged."""
    word = "levels off" if verdict.level else "GROWS" if judged else "grows (too short a run to judge)"
    return (
        f"{word}: {verdict.name}: mean {verdict.mean:,.0f}, in the second half it rises by {verdict.rise:+.1%} of "
        f"that; {verdict.allowed:.0%} is allowed"
    )


def table(samples: Sequence[Sample]) -> str:
    """A line for each minute."""
    titles = (
        ("readings/s", 12),
        ("lag", 10),
        ("memory of each, MB", 24),
        ("handles", 9),
        ("changelog, MB", 15),
        ("records", 9),
    )
    lines = ["minute" + "".join(f"{title:>{width}}" for title, width in titles)]
    before = samples[0]
    for sample in samples[1:]:
        if int(sample.seconds / 60) > int(before.seconds / 60):
            lines.append(_line(before, sample))
            before = sample
    return "\n".join(lines)


def _line(before: Sample, sample: Sample) -> str:
    rate = (sample.committed - before.committed) / (sample.seconds - before.seconds)
    memory = " ".join(f"{member.resident_bytes / MB:.0f}" for member in sample.members)
    return (
        f"{sample.seconds / 60:6.0f}{rate:12,.0f}{sample.lag:10,.0f}{memory:>24}{sample.members[0].handles:9.0f}"
        f"{sample.changelog_bytes / MB:15.1f}{sample.changelog_records:9,.0f}"
    )
