"""Counts the demo's windows, and how many of them agree with the calendar, month by month."""

from collections import Counter

from season import instants
from season.messages import Prediction

_MONTHS_PER_LINE = 6
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MonthTally:
    """Counts windows by the month of their middle; of a window's revisions the last one stands."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], tuple[int, bool]] = {}

    def count(self, prediction: Prediction) -> None:
        """Take a prediction."""
        middle = (instants.parse(prediction.window_start) + instants.parse(prediction.window_end)) // 2
        month = int(instants.format(middle)[5:7])
        agrees = prediction.label == prediction.calendar_label
        self._windows[prediction.zone, prediction.window_start] = (month, agrees)

    @property
    def windows(self) -> int:
        """Return how many windows have a prediction."""
        return len(self._windows)

    def share(self) -> str:
        """Return the share of windows whose label is the calendar's."""
        agreeing = sum(agrees for _, agrees in self._windows.values())
        return f"{agreeing} of {self.windows} days ({100 * agreeing / max(1, self.windows):.1f} %)"

    def by_month(self) -> list[str]:
        """Return the same share for each month, in lines of six percentages."""
        days = Counter(month for month, _ in self._windows.values())
        right = Counter(month for month, agrees in self._windows.values() if agrees)
        months = [f"{_MONTHS[month - 1]} {100 * right[month] / days[month]:3.0f}" for month in sorted(days)]
        return [
            "  ".join(months[first : first + _MONTHS_PER_LINE]) for first in range(0, len(months), _MONTHS_PER_LINE)
        ]
