"""What a watcher has seen, summed up: predictions, revisions, agreement with the calendar, by zone and label."""

import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from consumer.watch.line import padded, printable, width
from season.messages import Prediction

_MAX_ZONES = 30
_WIDTH_CELLS = 80  # of a terminal
_NAME_CELLS, _LABEL_CELLS = 18, 26


@dataclass
class ZoneTally:
    """The predictions of one zone."""

    labels: Counter[str] = field(default_factory=Counter)
    agreeing: int = 0
    revisions: int = 0

    @property
    def predictions(self) -> int:
        """Return how many predictions there are, revisions included."""
        return self.labels.total()


class PredictionTally:
    """Counts predictions; memory goes with the zones alone."""

    def __init__(self) -> None:
        self._zones: dict[str, ZoneTally] = {}

    def count(self, prediction: Prediction) -> None:
        """Count one prediction."""
        zone = self._zones.setdefault(prediction.zone, ZoneTally())
        zone.labels[prediction.label] += 1
        zone.agreeing += prediction.label == prediction.calendar_label
        zone.revisions += prediction.revision > 0

    def summary(self) -> str:
        """Return the summary: one line over all, then one for each of the busiest zones."""
        predictions = sum(zone.predictions for zone in self._zones.values())
        if not predictions:
            return "no predictions"
        agreeing = sum(zone.agreeing for zone in self._zones.values())
        revisions = sum(zone.revisions for zone in self._zones.values())
        again = f" and {counted(revisions, 'revision')}" if revisions else ""
        all_of_them = (
            f"{counted(predictions - revisions, 'window')}{again} of {counted(len(self._zones), 'zone')}: "
            f"{counted(predictions - agreeing, 'surprise')}, {_share(agreeing, predictions)} agree with the calendar"
        )
        lines = textwrap.wrap(all_of_them, _WIDTH_CELLS, subsequent_indent="  ")
        busiest = dict(sorted(self._zones.items(), key=lambda item: -item[1].predictions)[:_MAX_ZONES])
        lines += _table(busiest)
        if len(self._zones) > len(busiest):
            lines.append(f"  and {len(self._zones) - len(busiest):,} zones more")
        return "\n".join(lines)


def _table(zones: Mapping[str, ZoneTally]) -> list[str]:
    """Return a line for each zone, with columns as wide as what stands in them."""
    rows = []
    for name, zone in sorted(zones.items()):
        labels = ", ".join(f"{count:,} {printable(label)}" for label, count in sorted(zone.labels.items()))
        surprises = counted(zone.predictions - zone.agreeing, "surprise")
        rows.append((name, labels, f"{surprises}, {_share(zone.agreeing, zone.predictions)} agree"))
    names = min(_NAME_CELLS, max(width(printable(name)) for name, _, _ in rows))
    labels_ = min(_LABEL_CELLS, max(width(labels) for _, labels, _ in rows))
    return [f"  {padded(name, names)}  {padded(labels, labels_)}  {agreement}" for name, labels, agreement in rows]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 window, 2 windows."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _share(part: int, total: int) -> str:
    return f"{100 * part / total:.1f} %"
