"""The service, wired: every part that talks to the world is made here, and given to the loop."""

import gc
import os
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import structlog
from confluent_kafka import KafkaException

from consumer.adapters import http, logs, model, signals
from consumer.adapters.asked import Inquirer
from consumer.adapters.claiming import Claiming
from consumer.adapters.group import ForeignGroupError, foreign
from consumer.adapters.http import Status
from consumer.adapters.metrics import Metrics
from consumer.adapters.probe import Probe
from consumer.adapters.refusal import Remedies
from consumer.adapters.restore import Restorer
from consumer.adapters.session import session_timeout
from consumer.adapters.signals import Signals
from consumer.adapters.source import Source
from consumer.adapters.transaction import FencedError, Transactions
from consumer.admission import Admission
from consumer.announcement import announce
from consumer.core.claim import Claim
from consumer.core.record import DamagedError
from consumer.placement import check_claim
from consumer.reload import Models
from consumer.restoring import Restoring
from consumer.service import Service
from consumer.settings import Settings
from consumer.writing import Writing
from season.authorization import Authorization
from season.contract import ContractError
from season.identity import identified
from season.kafka import client_properties, connect
from season.required import of_service
from season.settings import RefusedError, SettingError, load
from season.topics import Described, Topics, batch_bytes, dead_letter_bytes, ensure

log = structlog.get_logger()


def serve() -> int:
    """The service, from its settings to its end."""
    received = signals.listen()
    # Messages come and go by the thousand and are no cycles: to look for those each 700 objects costs a tenth.
    gc.set_threshold(50_000)
    environ = identified(os.environ, "season-consumer")
    settings = load(Settings, environ)
    topics = Topics.from_environment(environ)
    logs.configure(settings.log_level, settings.log_format)
    client_properties(environ)
    status, metrics = Status(), Metrics()
    models = _models(settings, received, metrics)
    with http.serve(settings.http_host, settings.http_port, status, metrics, lambda: models.current):
        try:
            announce(os.environ, settings, topics, models.current)
            return _work(environ, settings, topics, models, status, metrics, received.stopped)
        finally:
            received.ended.set()


def _models(settings: Settings, received: Signals, metrics: Metrics) -> Models:
    try:
        return Models(
            lambda: model.Attempt(settings.model_path, settings.model_overrides),
            Path(settings.model_path),
            settings.model_reload_interval,
            received.reload,
            received.stopped,
            metrics,
        )
    except ContractError as error:
        raise SettingError(str(error)) from None


def _work(
    environ: Mapping[str, str],
    settings: Settings,
    topics: Topics,
    models: Models,
    status: Status,
    metrics: Metrics,
    stopped: threading.Event,
) -> int:
    """Everything that talks to the broker, made here and given to the loop."""
    source = Source(environ, settings.consumer_group, topics.readings)
    instance = settings.instance_id

    def waits() -> bool:
        """Asked in each turn of a wait for the broker: whether to give it up. The loop is alive meanwhile."""
        status.beat()
        return stopped.is_set()

    transactions = Transactions(environ, f"{settings.consumer_group}-{instance}", waits)
    properties = client_properties(environ)
    admin = connect(properties, log.warning, waits)
    rights = of_service(topics, settings.consumer_group, transactions.transactional_id)
    authorization = Authorization(admin, rights, properties)
    with authorization.explained():
        authorization.demand(waits)
        described = ensure(admin, topics, waits)
        authorization.demand(waits)
    complaints = logs.Complaints()
    writing = Writing(status.cannot_write, Remedies(admin, described))
    broker = Inquirer(environ, admin, settings.consumer_group, topics.readings, topics.changelog, complaints)
    restorer = Restorer(environ, broker, topics.changelog, models.calendar)
    probe = Probe(admin, described, status.answered, complaints)
    letter_bytes = dead_letter_bytes(admin, described)
    if (size := batch_bytes(admin, described)) is not None:
        transactions.limit_batches(size)
    restoring = Restoring(settings, described, restorer, models.calendar)
    admission = Admission(session_timeout(admin, source.properties, settings.consumer_group))
    parts = (source, admission, restoring, transactions, writing, models, status, metrics, probe, complaints)
    try:
        # Closed on every way out: a client that the interpreter's end destroys may wait for ever.
        with authorization.explained(), probe.running(), closing(broker), closing(restorer), closing(source):
            claiming = Claiming(environ, described.changelog.name, waits, complaints, writing.refused)
            _claim(claiming, settings.consumer_group, described)
            writing.committed()
            transactions.acquire_id(writing.waiting)
            log.info("started")
            Service(settings, described, letter_bytes, *parts, stopped).run()
    except FencedError:
        raise RefusedError(
            f"INSTANCE_ID={instance!r}: another instance with this id has started (transactional.id "
            f"{transactions.transactional_id!r}), so this older one stops; give each instance an id of its own"
        ) from None
    except ForeignGroupError as error:
        raise foreign(admin, settings.consumer_group, error) from None
    except KafkaException as exception:
        raise RefusedError(f"Kafka: {exception.args[0].str()} ({exception.args[0].name()})") from None
    return 0


def _claim(claiming: Claiming, group: str, topics: Described) -> None:
    """See to it that the changelog is this deployment's. RefusedError, StoppedError, SettingError."""
    ours = Claim(group, topics.readings.name, topics.readings.topic_id)
    try:
        check_claim(claiming.holder(ours), ours, topics.changelog.name)
    except DamagedError as damage:
        raise SettingError(
            f"CHANGELOG_TOPIC={topics.changelog.name!r}: partition 0 is no changelog that this program can go on "
            f"from: {damage}; name another topic, which is created where it is missing"
        ) from None
