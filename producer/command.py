"""The command line of the producer, and the one module that puts its parts together."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import FrameType

from producer import pace, resume, sender
from producer.report import Display, RowCounts, printable, summary
from season import catalogue, cli, files, messages, spelling
from season.authorization import Authorization
from season.files import BadRow, FileOptions, FileReading
from season.identity import ClientSettings, identified
from season.kafka import client_properties, connect
from season.required import of_producer
from season.settings import RefusedError, SettingError
from season.topics import Topics, TopicSettings, ensure_readings

_FLUSH_TIMEOUT_S = 8.0  # for queued messages, of the ten seconds within which a stopped program ends
_STATUS_FAILED = 1
_SETTINGS = [
    *catalogue.KAFKA,
    *catalogue.settings_of(TopicSettings, only={"READINGS_TOPIC", "TOPIC_PARTITIONS", "CREATE_TOPICS"}),
    *catalogue.settings_of(ClientSettings),
]


@dataclass(frozen=True)
class Job:
    """What a command line asks for."""

    files: list[str]
    options: FileOptions
    pace: pace.Pace | None
    resume: bool
    skip_bad: bool


class Stop:
    """Whether a signal has asked the program to end. A second one does not wait for queued messages."""

    def __init__(self, reads_stdin: bool) -> None:
        self._asked = False
        self._reads_stdin = reads_stdin
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._ask)

    def __call__(self) -> bool:
        """Return whether the program must end."""
        return self._asked

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._reads_stdin:
            # Python repeats a read that a signal interrupted: let it find the end.
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def parser() -> argparse.ArgumentParser:
    """Return the command line, with its help."""
    made = argparse.ArgumentParser(
        prog=cli.called("producer", "season-producer"),
        description="Publishes readings from CSV files or JSON lines to the topic `readings` (READINGS_TOPIC).",
        epilog=catalogue.help_text(_SETTINGS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "files", nargs="+", metavar="FILE", help="CSV with a header, or JSON lines; - is standard input"
    )
    cli.add_version(made, "season-producer")
    files.add_options(made)
    group = made.add_argument_group("how it is published")
    group.add_argument("--speed", default="max", help="max, or hours of data per second (default: max)")
    group.add_argument(
        "--resume", action="store_true", help="skip what is not later than its zone's latest timestamp on the topic"
    )
    group.add_argument(
        "--skip-bad", action="store_true", help="tell and count bad rows instead of stopping at the first"
    )
    return made


def job(arguments: Sequence[str] | None) -> Job:
    """Read and check a command line. Raises SettingError."""
    args = parser().parse_args(arguments)
    if args.files.count(files.STDIN) > 1:
        raise SettingError("FILE -: standard input can be read only once")
    asked = Job(args.files, files.options(args), pace.speed(args.speed), args.resume, args.skip_bad)
    for file in asked.files:
        files.check(file, asked.options)
    return asked


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Publish what the command line names; return the exit status. Raises what `season.cli.run` catches."""
    asked = job(arguments)
    topics = Topics.from_environment(environ)
    doubtful = spelling.misspelt(environ, _SETTINGS)
    environ = identified(environ, "season-producer")
    given, sending, reading = client_properties(environ), sender.properties(environ), resume.properties(environ)
    stop = Stop(files.STDIN in asked.files)
    counts = RowCounts()
    with Display(asked.files, counts) as display:
        for sentence in doubtful:
            display.say(sentence)
        admin = connect(given, display.say, stop)
        authorization = Authorization(admin, of_producer(topics, asked.resume), given)
        with authorization.explained():
            authorization.demand(stop)
            topic = ensure_readings(admin, topics, stop)
            authorization.demand(stop)
            known = resume.latest(admin, reading, topic, display.say, stop) if asked.resume else {}
        out = sender.Sender(topic.name, display.say, stop).connect(sending)
        began = time.monotonic()
        bad: BadRow | None = None
        wrong: SettingError | RefusedError | None = None
        try:
            bad = publish(_items(asked, counts), out, counts, asked, known, display, stop)
            left = out.flush(_FLUSH_TIMEOUT_S)
        except SettingError as error:  # a file cannot be read: all readings before it are delivered
            wrong, left = error, out.flush(_FLUSH_TIMEOUT_S)
        except RefusedError as error:
            wrong, left = error, out.left()
        seconds = time.monotonic() - began
    _tell(bad, out, stop())
    sys.stdout.write(summary(counts, left + out.failed, seconds) + "\n")
    if wrong is not None:
        with authorization.explained():
            raise wrong
    return _STATUS_FAILED if bad is not None or left or out.failures else 0


def publish(
    items: Iterator[FileReading | BadRow],
    out: sender.Sender,
    counts: RowCounts,
    asked: Job,
    known: Mapping[str, int],
    display: Display,
    stop: Callable[[], bool],
) -> BadRow | None:
    """Send readings until the files end, the program is stopped, a delivery fails or a bad row ends it.

    `known` is the latest instant of each zone that is on the topic already. Returns the bad row, if one did.
    """
    for item in items:
        if isinstance(item, BadRow):
            counts.bad += 1
            if not asked.skip_bad:
                return item
            display.say(str(item))
            continue
        zone, instant, demand = item
        if instant <= known.get(zone, -1):
            counts.skipped += 1
            continue
        if asked.pace is not None:
            while not stop() and (wait := asked.pace.wait(instant, time.monotonic())) > 0:
                out.serve(min(wait, 0.1))
                display.update(instant)
        if stop() or not out.send(zone.encode(), messages.encode_reading(zone, instant, demand)):
            return None
        counts.count(zone, instant)
        display.update(instant)
    return None


def _items(asked: Job, counts: RowCounts) -> Iterator[FileReading | BadRow]:
    each = [files.read(file, asked.options, counts.tally) for file in asked.files]
    return chain.from_iterable(each) if asked.pace is None else pace.by_time(each)


def _tell(bad: BadRow | None, out: sender.Sender, stopped: bool) -> None:
    """Report what ended the run, where it was not the files' end."""
    if bad is not None:
        sys.stderr.write(f"{printable(str(bad))}\nstopped there; --skip-bad goes on behind a bad row\n")
    elif stopped:
        sys.stderr.write("stopped by a signal\n")
    for failure in out.failures:
        sys.stderr.write(f"a delivery failed: {failure}\n")
