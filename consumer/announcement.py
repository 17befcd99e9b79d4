"""The one line that the service logs at its start: what it runs with; and a warning for each misspelt setting."""

from collections.abc import Mapping

import structlog

from consumer.adapters.model import Model
from consumer.settings import Settings
from season.catalogue import DEFAULT_SERVERS, KAFKA, SERVERS, settings_of
from season.kafka import presentable
from season.settings import load
from season.spelling import misspelt
from season.topics import Topics

log = structlog.get_logger()


def announce(environ: Mapping[str, str], settings: Settings, topics: Topics, model: Model) -> None:
    """Log group, topics, model, the windows' time zone and grace, and every setting that is not the default."""
    contract = model.contract
    log.info(
        "starting",
        group=settings.consumer_group,
        topics=f"{topics.readings}, {topics.predictions}, {topics.dead_letters}, {topics.changelog}",
        model=contract.name,
        version=model.version,
        time_zone=contract.time_zone,
        day_start=contract.day_start,
        grace=str(settings.grace_period),
        **changed(environ, settings),
    )
    for sentence in misspelt(environ, [*KAFKA, *settings_of(Settings)]):
        log.warning(sentence)


def changed(environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Return the settings that are not the default, as they were typed; *** in place of a secret."""
    defaults = load(Settings, {})
    ours = {
        field.upper(): environ[field.upper()]
        for field in Settings.model_fields
        if getattr(settings, field) != getattr(defaults, field)
    }
    kafka = presentable(environ)
    if kafka.get(SERVERS) == DEFAULT_SERVERS:
        del kafka[SERVERS]
    return ours | kafka
