"""The settings as a list: one source for every program's `--help`, for README.md, and for misspelt names."""

import textwrap
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pydantic import BaseModel

from season.settings import said

SERVERS, DEFAULT_SERVERS = "KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"
DURATIONS = "Durations: 500ms, 10s, 1.5h, 2d (units ms, s, m, h, d), or 0. An empty value counts as not set."
_WIDTH_CHARACTERS = 100


@dataclass(frozen=True)
class Setting:
    """One setting: its default as a person would type it or in words, what it is for, what is allowed (or "")."""

    name: str
    default: str
    meaning: str
    allowed: str = ""


KAFKA = (
    Setting(SERVERS, f"`{DEFAULT_SERVERS}`", "the brokers to begin with", "host:port, with commas between"),
    Setting(
        "KAFKA_A_B",
        "the client's",
        "any other is the Kafka client's property a.b: KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_USERNAME, KAFKA_DEBUG, …",
    ),
)


def settings_of(model: type[BaseModel], only: Collection[str] = ()) -> list[Setting]:
    """Return the settings that a model declares, in its order; with `only`, those of these names."""
    found = []
    for field, info in model.model_fields.items():
        allowed, shown = said(info)
        default = shown or f"`{str(info.default).lower() if isinstance(info.default, bool) else info.default}`"
        found.append(Setting(field.upper(), default, info.description or "", allowed))
    return [setting for setting in found if not only or setting.name in only]


def help_text(settings: Iterable[Setting]) -> str:
    """Return the part of a `--help` that lists settings, for a parser with RawDescriptionHelpFormatter."""
    lines = ["settings, from the environment:"]
    for setting in settings:
        lines.append(f"  {setting.name} ({setting.default})")
        lines += textwrap.wrap(
            _meaning(setting), _WIDTH_CHARACTERS, initial_indent="      ", subsequent_indent="      "
        )
    return "\n".join([*lines, "", DURATIONS]).replace("`", "")


def table(settings: Iterable[Setting]) -> str:
    """Return the settings as the rows of a table in Markdown."""
    rows = [f"| `{setting.name}` | {setting.default} | {_meaning(setting)} |" for setting in settings]
    return "\n".join(["| setting | default | what |", "|---|---|---|", *rows])


def _meaning(setting: Setting) -> str:
    return f"{setting.meaning}: {setting.allowed}" if setting.allowed else setting.meaning
