"""The soak's curves, drawn."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.load.process import MB
from tests.load.samples import Sample


def draw(samples: Sequence[Sample], title: str, file: Path) -> None:
    """Memory, handles, the changelog and the pace over time, as PNG."""
    mpl.use("agg")
    figure = Figure(figsize=(9, 7), layout="constrained")
    memory, handles, changelog, pace = figure.subplots(4, 1, sharex=True)
    minutes = [sample.seconds / 60 for sample in samples]
    for number in range(len(samples[0].members)):
        name = "never stopped" if number == 0 else f"restarted in turn, {number}"
        line = {"label": name, "linewidth": 1.4 if number == 0 else 0.7, "zorder": 3 - number}
        members = [sample.members[number] for sample in samples]
        memory.plot(minutes, [member.resident_bytes / MB for member in members], **line)
        handles.plot(minutes, [member.handles for member in members], **line)
    changelog.plot(minutes, [sample.changelog_bytes / MB for sample in samples])
    pace.plot(minutes[1:], [rate / 1000 for rate in rates(samples)], linewidth=0.7)
    titles = ("memory of each member, MB", "open file handles", "changelog on the broker's disk, MB")
    for axes, text in zip(
        (memory, handles, changelog, pace), (*titles, "thousand readings committed a second"), strict=True
    ):
        axes.set_title(text, fontsize=9, loc="left")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    memory.legend(fontsize=8, loc="lower right", ncols=3)
    pace.set_xlabel("minutes")
    figure.suptitle(title, fontsize=10)
    figure.savefig(file, dpi=72, pil_kwargs={"optimize": True})


def rates(samples: Sequence[Sample]) -> list[float]:
    """Messages committed a second between each two samples."""
    pairs = pairwise(samples)
    return [(after.committed - before.committed) / (after.seconds - before.seconds) for before, after in pairs]
