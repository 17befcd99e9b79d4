"""The two classes and the month that each belongs to: the seasons of European energy markets."""

WINTER = "winter"
SUMMER = "summer"
LABELS = (WINTER, SUMMER)


def calendar_label(month: int) -> str:
    """Return the season of a month, 1 to 12: winter from October to March, summer from April to September."""
    return SUMMER if 4 <= month <= 9 else WINTER
