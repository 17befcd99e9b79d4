"""The list of settings: what a model declares is what `--help` and README.md show."""

from pydantic import BaseModel

from season.catalogue import Setting, help_text, settings_of, table
from season.settings import Duration, setting


class CatalogueExample(BaseModel):
    """One field of each kind."""

    grace_period: Duration = setting("24h", "how long", allowed="at most 2d")
    create_topics: bool = setting(True, "whether")
    instance_id: str = setting(lambda: "computed", "who", shown="the host's name")


LISTED = [
    Setting("GRACE_PERIOD", "`24h`", "how long", "at most 2d"),
    Setting("CREATE_TOPICS", "`true`", "whether"),
    Setting("INSTANCE_ID", "the host's name", "who"),
]


def test_a_model_s_settings_are_listed_as_a_person_types_them() -> None:
    """In the model's order; of a default that is computed the words."""
    assert settings_of(CatalogueExample) == LISTED
    assert settings_of(CatalogueExample, only={"CREATE_TOPICS"}) == LISTED[1:2]


def test_the_help_names_each_with_default_and_meaning() -> None:
    """Each in lines of its own, without Markdown's marks."""
    shown = help_text(LISTED)
    assert "  GRACE_PERIOD (24h)\n      how long: at most 2d\n  CREATE_TOPICS (true)\n      whether\n" in shown
    assert "`" not in shown


def test_the_table_has_a_row_for_each() -> None:
    """As Markdown."""
    assert (
        table(LISTED[:1])
        == "| setting | default | what |\n|---|---|---|\n| `GRACE_PERIOD` | `24h` | how long: at most 2d |"
    )
