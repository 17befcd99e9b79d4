"""Decides from which offset a restored partition goes on, and refuses a state that does not fit the readings."""

from dataclasses import dataclass

from consumer.adapters.restore import Restored
from consumer.core.claim import Claim
from consumer.core.record import Origin
from season.calendar import Calendar
from season.settings import SettingError
from season.topics import Described

_START_OVER = (
    "take a new CONSUMER_GROUP (and so a new changelog), and new topics for predictions and dead letters, to read "
    "everything anew"
)


@dataclass(frozen=True)
class Placement:
    """The next offset to read; how many messages before it were never read, and why."""

    offset: int
    lost: int = 0
    why: str = ""


def check_claim(holder: Claim, ours: Claim, changelog: str) -> None:
    """Raise SettingError where the changelog belongs to another deployment, or to a topic that was deleted."""
    if (holder.group, holder.readings) != (ours.group, ours.readings):
        raise SettingError(
            f"CHANGELOG_TOPIC={changelog!r} holds the open windows of READINGS_TOPIC={holder.readings!r} and "
            f"CONSUMER_GROUP={holder.group!r}, but this is READINGS_TOPIC={ours.readings!r} and "
            f"CONSUMER_GROUP={ours.group!r}: two deployments must not share a changelog; give each a CONSUMER_GROUP "
            "and a CHANGELOG_TOPIC of its own (by default the changelog follows from the group)"
        )
    if holder.topic_id != ours.topic_id:
        raise _made_again(ours.readings, ours.topic_id, changelog, holder.topic_id)


def placement_of(number: int, restored: Restored, topics: Described, calendar: Calendar) -> Placement:
    """Return where partition `number` goes on. Raises SettingError where state and readings do not fit."""
    committed, (low, high) = restored.committed, restored.bounds
    origin = restored.origin
    if origin is None:
        if committed is not None:
            raise SettingError(
                f"CHANGELOG_TOPIC={topics.changelog.name!r}: partition {number} holds nothing, but CONSUMER_GROUP "
                f"has offset {committed} of {topics.readings.name!r} there: the open windows are gone; {_START_OVER}"
            )
        return Placement(low)
    _check(number, restored, origin, high, topics, calendar)
    if committed is not None and committed > origin.offset:
        why = f"the group's offset was moved ahead, from {origin.offset} to {committed}"
        offset = min(committed, high)  # beyond the end no message is lost
        lost = offset - origin.offset
    else:
        offset, lost, why = origin.offset, 0, ""
    if offset < low:
        gone = f"the topic keeps nothing before offset {low}, and {offset} was next"
        return Placement(low, lost + low - offset, f"{why}; {gone}" if why else gone)
    return Placement(offset, lost, why)


def _check(number: int, restored: Restored, origin: Origin, high: int, topics: Described, calendar: Calendar) -> None:
    readings, changelog = topics.readings, topics.changelog.name
    if origin.topic_id != readings.topic_id:
        raise _made_again(readings.name, readings.topic_id, changelog, origin.topic_id)
    if origin.offset > high:
        raise SettingError(
            f"READINGS_TOPIC={readings.name!r}: partition {number} ends at offset {high}, but {changelog!r} has "
            f"read it up to {origin.offset}: the topic lost messages; {_START_OVER}"
        )
    before, now = (origin.time_zone, origin.day_start), (calendar.time_zone, calendar.day_start)
    if before != now and restored.state.open_windows:
        raise SettingError(
            f"WINDOW_TIME_ZONE and WINDOW_DAY_START (or the model's) are {now[0]} and {now[1]}, but the "
            f"{restored.state.open_windows} open windows of partition {number} in {changelog!r} are of {before[0]} "
            f"and {before[1]}: set those until the windows have ended, or {_START_OVER}"
        )


def _made_again(readings: str, topic_id: str, changelog: str, before: str) -> SettingError:
    return SettingError(
        f"READINGS_TOPIC={readings!r} was made anew (its id is {topic_id}, the open windows in {changelog!r} belong "
        f"to {before}): {_START_OVER}"
    )
