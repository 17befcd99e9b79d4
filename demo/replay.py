"""The middle of the demo: a year of real readings goes in through the producer, predictions come out."""

import sys
import textwrap
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consumer.watch.line import render
from consumer.watch.stream import Stream, await_topic, properties
from demo.programs import ROOT, DemoError, Program, running
from demo.tally import MonthTally
from demo.terminal import say
from season.calendar import Calendar
from season.kafka import client_properties, connect
from season.messages import decode_prediction
from season.topics import Topics

DATA = ROOT / "data" / "italy_load_2015_2021.csv"
ZONE, TIME_ZONE, SINCE, UNTIL = "IT", "Europe/Rome", "2021-01-01", "2022-01-01"
HOURS, DAYS = 8760, 365
"""What the file holds of that year: the replay is over when each of its days has a prediction."""

_IDLE_TIMEOUT_S = 15.0
_READY_TIMEOUT_S = 40.0


@dataclass(frozen=True)
class Replayed:
    """The tally of a replay, and how long it took in seconds."""

    tally: MonthTally
    seconds: float


def replay(folder: Path, environ: Mapping[str, str], consumer: Program, seconds: float) -> Replayed:
    """Publish the year within so many seconds and show its predictions as they come. Raises DemoError."""
    tally = MonthTally()
    calendar = Calendar(TIME_ZONE)
    arguments = [
        "producer", str(DATA.relative_to(ROOT)), "--zone", ZONE, "--demand-column", "load_mw",
        "--time-zone", TIME_ZONE, "--since", SINCE, "--until", UNTIL, "--speed", f"{HOURS / seconds:.0f}",
    ]  # fmt: skip
    say(f"-- replaying {HOURS:,} hours of Italy's load:\n{command_line(arguments)}")
    with _predictions(environ) as stream, running(arguments, folder / "producer.log", environ) as producer:
        began = last_message_at = time.monotonic()
        for messages in stream.batches():
            for message in messages:
                prediction = decode_prediction(message.value())
                say(render(prediction, calendar, colour=sys.stdout.isatty()))
                tally.count(prediction)
                last_message_at = time.monotonic()
            if tally.windows == DAYS and producer.ended():
                break
            _check(consumer, producer, tally, time.monotonic() - last_message_at)
        took = time.monotonic() - began
    say(f"   done in {took:.1f} s")
    return Replayed(tally, took)


def command_line(arguments: Sequence[str]) -> str:
    """Return a command as one types it, in lines that fit a terminal of 80 columns."""
    words = textwrap.wrap(" ".join(["python -m", *arguments]), 68, break_on_hyphens=False, break_long_words=False)
    return "   " + " \\\n       ".join(words)


@contextmanager
def _predictions(environ: Mapping[str, str]) -> Iterator[Stream]:
    admin = connect(client_properties(environ), say)
    topic, _ = await_topic(admin, Topics.from_environment(environ).predictions, say, lambda: False)
    yield Stream(properties(environ), topic, True, say, lambda: False)


def _check(consumer: Program, producer: Program, tally: MonthTally, silent: float) -> None:
    if consumer.ended():
        raise DemoError(f"the consumer ended before its work was done\nits log: {consumer.log}")
    if producer.ended() and silent > _IDLE_TIMEOUT_S:
        raise DemoError(
            f"{tally.windows} of {DAYS} days have a prediction, and no more came for {_IDLE_TIMEOUT_S:.0f} s\n"
            f"the consumer's log: {consumer.log}"
        )


def await_ready(consumer: Program, port: int) -> None:
    """Return when the consumer says that it is ready. Raises DemoError."""
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while not consumer.ended() and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise DemoError(f"the consumer is not ready after {_READY_TIMEOUT_S:.0f} s\nits log: {consumer.log}")


def dead_letters(port: int) -> int:
    """Return how many dead letters the consumer has written, by its own count."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return int(sum(float(line.split()[-1]) for line in lines if line.startswith("season_dead_letters_total{")))
