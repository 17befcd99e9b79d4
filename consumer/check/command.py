"""The command line of `check`, and the order of its parts."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console

from consumer.adapters import http, model
from consumer.adapters.source import Source
from consumer.adapters.transaction import Transactions
from consumer.check import acls, group, rights, topics
from consumer.check.broker import Reached
from consumer.check.findings import Finding, Section, draw, last_line, note, ok, refused, shown, status, wrong
from consumer.check.patience import words
from consumer.settings import Settings
from season import catalogue, cli
from season.client.admin import Admin
from season.client.errors import ClientError
from season.contract import ContractError
from season.fault import Properties
from season.identity import identified
from season.kafka import client_properties, presentable
from season.required import of_service
from season.settings import SettingError, load
from season.spelling import misspelt
from season.topics import Topics


def parser() -> argparse.ArgumentParser:
    """Return the command line, with its help."""
    name = f"{cli.called('consumer', 'season-consumer')} check"
    made = argparse.ArgumentParser(
        prog=name,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Holds settings, broker, topics, rights, model and group to what the service needs, and changes\n"
        "nothing: no topic is created, no group joined, no transactional.id taken. The exit status is 0, 1 (rights,\n"
        "broker) or 2 (settings, topics, model).",
        epilog=catalogue.help_text([*catalogue.KAFKA, *catalogue.settings_of(Settings)]),
    )
    made.add_argument(
        "--acls",
        action="store_true",
        help="print the kafka-acls.sh lines that are enough for the service, the producer and watch, and end",
    )
    cli.add_version(made, "season-consumer check")
    return made


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Check everything, write the findings to standard output, and return the status. Raises SettingError."""
    args = parser().parse_args(arguments)
    environ = identified(environ, "season-consumer")
    settings, named = load(Settings, environ), Topics.from_environment(environ)
    properties = client_properties(environ)
    if args.acls:
        sys.stdout.write(acls.script(properties["bootstrap.servers"], named, settings.consumer_group))
        return 0
    transactional_id = _made(environ, settings, named)
    console = Console(highlight=False)
    sections: list[Section] = []

    def add(title: str, findings: Sequence[Finding]) -> None:
        sections.append(Section(title, findings))
        draw(console, sections[-1])

    add("Settings", _settings(environ, settings, named))
    add("Model", _model(settings))
    reached = Reached(properties, _say)
    add("Broker", reached.findings)
    if reached.admin is not None:
        for title, ask in _of_broker(reached.admin, environ, settings, named, properties, transactional_id):
            add(title, _asked(ask))
    console.print(last_line(sections), style="bold", soft_wrap=True)
    return status(sections)


def _made(environ: Mapping[str, str], settings: Settings, named: Topics) -> str:
    """Make the clients that the service makes, which connects none of them; return its transactional id.

    Raises SettingError for a property that the client refuses.
    """
    Source(environ, settings.consumer_group, named.readings).close()
    identity = f"{settings.consumer_group}-{settings.instance_id}"
    return Transactions(environ, identity, lambda: True).transactional_id


def _settings(environ: Mapping[str, str], settings: Settings, named: Topics) -> list[Finding]:
    """Return each setting as it is in force: as it was typed, or its default; secrets hidden."""
    found = [shown(_in_force(one, environ, settings, named)) for one in catalogue.settings_of(Settings)]
    found += [shown(f"{name}={value}") for name, value in presentable(environ).items()]
    found += [note(sentence) for sentence in misspelt(environ, [*catalogue.KAFKA, *catalogue.settings_of(Settings)])]
    try:
        http.check_address(settings.http_host, settings.http_port)
    except SettingError as error:
        found.append(note(f"{error}; where the service runs already, it is the one that has it"))
    return found


def _in_force(one: catalogue.Setting, environ: Mapping[str, str], settings: Settings, named: Topics) -> str:
    """Return a setting's value: as it was typed, else its default, in words where that depends on others."""
    if environ.get(one.name):
        return f"{one.name}={environ[one.name]}"
    value = named.changelog if one.name == "CHANGELOG_TOPIC" else getattr(settings, one.name.lower())
    default = one.default.replace("`", "") if value in {"", None} else str(value)
    return f"{one.name}: {default.lower() if isinstance(value, bool) else default} (default)"


def _model(settings: Settings) -> list[Finding]:
    """Return the model as the start would take it up."""
    try:
        loaded = model.load(settings.model_path, settings.model_overrides)
    except ContractError as error:
        return [wrong(str(error))]
    contract = loaded.contract
    return [
        ok(f"{contract.name} {loaded.version}, {loaded.path}"),
        shown(f"windows: {contract.time_zone}, days from {contract.day_start}, threshold {contract.threshold:g}"),
    ]


def _of_broker(
    admin: Admin,
    environ: Mapping[str, str],
    settings: Settings,
    named: Topics,
    properties: Properties,
    transactional_id: str,
) -> list[tuple[str, Callable[[], list[Finding]]]]:
    """Return the checks of a broker that answers, by title."""
    name = settings.consumer_group
    needed = of_service(named, name, transactional_id)
    return [
        ("Topics", lambda: topics.findings(admin, named)),
        ("Rights", lambda: rights.findings(admin, needed, properties, named.create)),
        ("Group", lambda: group.findings(admin, name, environ)),
    ]


def _asked(ask: Callable[[], list[Finding]]) -> list[Finding]:
    """Return the findings, or that the broker has stopped answering."""
    try:
        return ask()
    except ClientError as error:
        return [refused(f"the broker does not answer any more: {words(error)}")]


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
