"""The service, wired: every part that talks to the world is made here, and given to the loop."""

import gc
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from consumer.adapters import http, logs, model, signals
from consumer.adapters.asked import Inquirer
from consumer.adapters.claiming import Claiming
from consumer.adapters.group import ForeignGroupError, foreign
from consumer.adapters.http import Status
from consumer.adapters.metrics import Metrics
from consumer.adapters.probe import Probe
from consumer.adapters.refusal import Remedies
from consumer.adapters.restore import Restorer
from consumer.adapters.session_timeout import session_timeout
from consumer.adapters.signals import Signals
from consumer.adapters.source import Source
from consumer.adapters.transaction import FencedError, Transactions
from consumer.admission import Admission
from consumer.announcement import announce
from consumer.assignment import Assignment
from consumer.commit_policy import CommitPolicy
from consumer.core.claim import Claim
from consumer.core.record import DamagedError
from consumer.monitor import Monitor
from consumer.placement import check_claim
from consumer.reload import Models
from consumer.service import Service
from consumer.session import Session
from consumer.settings import Settings
from consumer.warm import warm_up
from consumer.writing import Writing
from season.authorization import Authorization
from season.client.admin import Admin
from season.client.errors import ClientError
from season.contract import ContractError
from season.identity import identified
from season.kafka import client_properties, connect
from season.required import of_service
from season.settings import RefusedError, SettingError, load
from season.topics import Described, Topics, batch_bytes, dead_letter_bytes, ensure

log = structlog.get_logger()


def serve() -> int:
    """Run the service, from its settings to its end; return the status."""
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
            program = _Program(
                environ=environ,
                settings=settings,
                topics=topics,
                models=models,
                status=status,
                metrics=metrics,
                stopped=received.stopped,
            )
            _work(program)
            return 0
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


@dataclass(frozen=True, kw_only=True)
class _Program:
    """What there is before the broker is asked anything."""

    environ: Mapping[str, str]
    settings: Settings
    topics: Topics
    models: Models
    status: Status
    metrics: Metrics
    stopped: threading.Event

    def gives_up(self) -> bool:
        """Return whether to give up a wait for the broker. Meanwhile the loop counts as alive."""
        self.status.beat()
        return self.stopped.is_set()


def _work(program: _Program) -> None:
    """Make the clients, see to topics and rights, and run the loop. RefusedError, SettingError, StoppedError."""
    # Where nothing was compiled in advance a member that is ready would let readings wait for that.
    warm_up(log.info)
    environ, settings, topics = program.environ, program.settings, program.topics
    source = Source(environ, settings.consumer_group, topics.readings)
    transactional_id = f"{settings.consumer_group}-{settings.instance_id}"
    transactions = Transactions(environ, transactional_id, program.gives_up)
    properties = client_properties(environ)
    admin = connect(properties, log.warning, program.gives_up)
    authorization = Authorization(admin, of_service(topics, settings.consumer_group, transactional_id), properties)
    with authorization.explained():
        authorization.demand(program.gives_up)
        described = ensure(admin, topics, program.gives_up)
        authorization.demand(program.gives_up)
    with _reasons(program, transactional_id, admin), authorization.explained(), closing(source):
        _serve_partitions(program, source, transactions, admin, described)


@contextmanager
def _reasons(program: _Program, transactional_id: str, admin: Admin) -> Iterator[None]:
    """Raise RefusedError, with a sentence for a person, for each error that ends the loop."""
    instance, group = program.settings.instance_id, program.settings.consumer_group
    try:
        yield
    except FencedError:
        raise RefusedError(
            f"INSTANCE_ID={instance!r}: another instance with this id has started (transactional.id "
            f"{transactional_id!r}), so this older one stops; give each instance an id of its own"
        ) from None
    except ForeignGroupError as error:
        raise foreign(admin, group, error) from None
    except ClientError as error:
        raise RefusedError(f"Kafka: {error.sentence} ({error.name})") from None


def _serve_partitions(
    program: _Program, source: Source, transactions: Transactions, admin: Admin, topics: Described
) -> None:
    """Make what the loop works with, take the changelog and the transactional id, and run the loop."""
    environ, settings, models, status = program.environ, program.settings, program.models, program.status
    group, complaints = settings.consumer_group, logs.Complaints()
    writing = Writing(status.cannot_write, Remedies(admin, topics))
    broker = Inquirer(environ, admin, group, topics.readings.name, topics.changelog.name, complaints)
    restorer = Restorer(environ, broker, topics.changelog.name, models.calendar)
    probe = Probe(admin, topics, status.answered, complaints)
    monitor = Monitor(
        metrics=program.metrics,
        status=status,
        probe=probe,
        admission=Admission(session_timeout(admin, source.properties, group)),
        complaints=complaints,
    )
    session = _session(program, source, transactions, writing, admin, topics)
    assignment = Assignment(
        settings=settings, topics=topics, restorer=restorer, calendar=models.calendar, changed=status.partitions
    )
    # Closed on every way out: a client that the interpreter's end destroys may wait for ever.
    with probe.running(), closing(broker), closing(restorer):
        _claim(Claiming(environ, topics.changelog.name, program.gives_up, complaints, writing.refused), group, topics)
        writing.committed()
        transactions.acquire_id(writing.waiting)
        log.info("started")
        Service(
            session=session,
            assignment=assignment,
            policy=CommitPolicy(settings.commit_interval),
            models=models,
            monitor=monitor,
            stopped=program.stopped,
        ).run()


def _session(
    program: _Program, source: Source, transactions: Transactions, writing: Writing, admin: Admin, topics: Described
) -> Session:
    """Return the session, which writes nothing that is larger than the topics take."""
    if (size := batch_bytes(admin, topics)) is not None:
        transactions.limit_batches(size)
    return Session(
        source=source,
        transactions=transactions,
        writing=writing,
        topics=topics,
        letter_bytes=dead_letter_bytes(admin, topics),
        stopped=program.stopped,
    )


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
