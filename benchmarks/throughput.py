"""Readings a second and processor seconds of the service and its contenders, on a backlog and on hard inputs."""

import logging
from collections.abc import Sequence

from benchmarks.contenders import BARE, NAIVE, SERVICE, Contender
from benchmarks.race import Run, race
from benchmarks.scenarios import BACKLOG, HARD, SMALL, Scenario
from benchmarks.tables import TableRow, report, table
from kafka_local import Broker

REPEATS = 3


def backlog() -> None:
    """Show the service on a large backlog, beside the bare loop."""
    compare([BACKLOG], [SERVICE, BARE])


def hard() -> None:
    """Show the service on each of the hard inputs, beside the bare loop."""
    compare(HARD, [SERVICE, BARE])


def naive() -> None:
    """Show the service on a small backlog, beside the loop that anyone would write first."""
    compare([SMALL], [SERVICE, NAIVE])


def compare(scenarios: Sequence[Scenario], contenders: Sequence[Contender]) -> None:
    """Print what the contenders made of the scenarios, in a table of paces and one of processor seconds."""
    logging.disable(logging.WARNING)  # of the Kafka client: a new broker is not ready at once
    results: dict[str, list[list[Run]]] = {}
    with Broker() as broker:
        for scenario in scenarios:
            report(scenario.name)
            results[scenario.name] = race(broker.bootstrap_servers, scenario, contenders, REPEATS)
    names = [contender.name for contender in contenders]
    paces = [
        TableRow(name, [[run.thousands_a_second for run in runs] for runs in all_runs])
        for name, all_runs in results.items()
    ]
    table("Thousands of readings a second", names, paces)
    costs = [
        TableRow(name, [[run.cpu_seconds_a_million for run in runs] for runs in all_runs])
        for name, all_runs in results.items()
    ]
    table("Client CPU seconds per million readings", names, costs)
