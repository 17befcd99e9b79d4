"""Finds misspelt settings: environment variables that have nearly the name of one, and so no effect."""

from collections.abc import Collection, Iterable, Mapping

from season.catalogue import Setting

_LETTERS_FOR_ONE_SLIP = 9
_LETTERS_FOR_TWO_SLIPS = 13
"""Short names differ from somebody else's (HTTPS_PORT, LOG_LEVELS) by no more than a slip."""


def misspelt(environ: Mapping[str, str], settings: Iterable[Setting]) -> list[str]:
    """Return a sentence for each variable that is set and whose name nearly is one of these settings."""
    names = {setting.name for setting in settings}
    others = [name for name in sorted(environ) if environ[name] and name not in names]
    # The client refuses what it does not know of these.
    near = {name: nearest(name, names) for name in others if not name.startswith("KAFKA_")}
    return [f"{name} is no setting and does nothing; {meant} may be meant" for name, meant in near.items() if meant]


def nearest(name: str, names: Collection[str]) -> str | None:
    """Return the setting that a name is nearly: the same letters, or one or two slips in a long one; else None."""
    letters = _letters(name)
    slips = {known: _slips(letters, _letters(known)) for known in names}
    near = [known for known in names if slips[known] <= _allowed(len(_letters(known)))]
    return min(near, key=lambda known: slips[known], default=None)


def _letters(name: str) -> str:
    return "".join(character for character in name.upper() if character not in "_-.")


def _allowed(letters: int) -> int:
    return (letters >= _LETTERS_FOR_ONE_SLIP) + (letters >= _LETTERS_FOR_TWO_SLIPS)


def _slips(one: str, other: str) -> int:
    """Count the letters to insert, leave out, exchange or swap with the next one; where it is many, only roughly."""
    rough = max(abs(len(one) - len(other)), len(set(one) - set(other)))
    if rough > 2:  # nearly all there is in an environment
        return rough
    before, last = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one):
        row = [i + 1]
        for j, wanted in enumerate(other):
            cost = min(last[j] + (letter != wanted), last[j + 1] + 1, row[j] + 1)
            if i and j and letter == other[j - 1] and one[i - 1] == wanted:
                cost = min(cost, before[j - 1] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
