"""The command line of `watch`, and the one module that puts its parts together."""

import argparse
import os
import select
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainValidator

from consumer.watch.forms import Form, csv_header, csv_row, json_line, lines
from consumer.watch.line import printable
from consumer.watch.stream import Stream, await_topic, properties
from consumer.watch.tally import PredictionTally
from season import catalogue, cli, instants, spelling
from season.authorization import Authorization
from season.calendar import Calendar
from season.client.message import KafkaMessage
from season.identity import ClientSettings, identified
from season.kafka import client_properties, connect
from season.messages import Prediction, decode_prediction
from season.required import of_watch
from season.settings import load, setting
from season.topics import Topics, TopicSettings


def _calendar(name: object) -> Calendar | None:
    return None if name is None else Calendar(str(name))


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)
    window_time_zone: Annotated[Calendar | None, PlainValidator(_calendar)] = setting(
        None, "the time zone of the dates that are shown", allowed="a name such as Europe/Rome", shown="none"
    )


_SETTINGS = [
    *catalogue.KAFKA,
    *catalogue.settings_of(TopicSettings, only={"PREDICTIONS_TOPIC"}),
    *catalogue.settings_of(_Settings),
    *catalogue.settings_of(ClientSettings),
]


@dataclass(frozen=True)
class Choice:
    """What is shown and how."""

    zones: frozenset[str]
    surprises: bool
    form: Form

    def wants(self, prediction: Prediction) -> bool:
        """Return whether this one is shown."""
        return not self.surprises or prediction.label != prediction.calendar_label


def parser() -> argparse.ArgumentParser:
    """Return the command line, with its help."""
    made = argparse.ArgumentParser(
        prog=f"{cli.called('consumer', 'season-consumer')} watch",
        description=(
            "Shows the predictions topic (PREDICTIONS_TOPIC), one line a window: zone, local date, the day's shape,\n"
            "the probability of winter, the label, and ◀ with the calendar's season where that is another one.\n"
            "Ctrl-C ends it with a summary. Dates are those of WINDOW_TIME_ZONE or, where that is not set, of the\n"
            "windows' middle in UTC, which is the same for days from midnight to midnight less than twelve hours\n"
            "from UTC."
        ),
        epilog=catalogue.help_text(_SETTINGS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cli.add_version(made, "season-consumer watch")
    made.add_argument("--from-beginning", action="store_true", help="from the topic's beginning, not from now on")
    made.add_argument(
        "--until-now",
        action="store_true",
        help="all that the topic holds now, from its beginning, and no further: what an open transaction holds back "
        "is not waited for; ends with status 0 (a topic that is missing is waited for)",
    )
    made.add_argument("--zone", action="append", default=[], help="only this zone; may be given several times")
    made.add_argument("--surprises", action="store_true", help="only where label and calendar_label differ")
    form = made.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the messages themselves, one a line")
    form.add_argument(
        "--csv",
        action="store_true",
        help="CSV (RFC 4180) with a header: a row a prediction with all of its fields, numbers in full, the steps as "
        "step_00 to step_23",
    )
    return made


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Show predictions until stopped; return the exit status. Raises what `season.cli.run` catches."""
    args = parser().parse_args(arguments)
    calendar = load(_Settings, environ).window_time_zone
    colour = sys.stdout.isatty() and not environ.get("NO_COLOR")
    form = json_line if args.json else csv_row if args.csv else lines(calendar, colour)
    choice = Choice(frozenset(args.zone), args.surprises, form)
    topics = Topics.from_environment(environ)
    for sentence in spelling.misspelt(environ, _SETTINGS):
        _say(sentence)
    environ = identified(environ, "season-watch")
    given, reading = client_properties(environ), properties(environ)
    stop = _Stop()
    admin = connect(given, _say, stop)
    authorization = Authorization(admin, of_watch(topics), given)
    tally = PredictionTally()
    with authorization.explained():
        authorization.demand(stop)
        topic, waited = await_topic(admin, topics.predictions, _say, stop)
        authorization.demand(stop)
        # What is in a topic that came after us came after us.
        beginning = args.from_beginning or args.until_now or waited
        stream = Stream(reading, topic, beginning, _say, stop, args.until_now)
        if args.csv:
            _write(csv_header())
        show(stream, choice, tally)
    _say(tally.summary())
    return 0


def show(stream: Stream, choice: Choice, tally: PredictionTally) -> None:
    """Write each prediction that is asked for to standard output. Raises BrokenPipeError when that closes."""
    for batch in stream.batches():
        for message in batch:
            prediction = _decoded(message)
            if prediction is None or (choice.zones and prediction.zone not in choice.zones):
                continue
            try:
                shown = choice.form(message, prediction)
            except ValueError as error:
                _foreign(message, str(error))
                continue
            tally.count(prediction)
            if choice.wants(prediction):
                _write(shown)
        if _reader_is_gone():
            raise BrokenPipeError


class _Stop:
    """Whether a signal has asked the program to end."""

    def __init__(self) -> None:
        self._asked = False
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self._ask)

    def __call__(self) -> bool:
        return self._asked

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True


def _write(shown: bytes) -> None:
    sys.stdout.buffer.write(shown)
    sys.stdout.buffer.flush()


def _decoded(message: KafkaMessage) -> Prediction | None:
    try:
        prediction = decode_prediction(message.value())
        instants.parse(prediction.window_start)
        instants.parse(prediction.window_end)
    except ValueError as error:
        _foreign(message, str(error))
        return None
    return prediction


def _foreign(message: KafkaMessage, sentence: str) -> None:
    _say(f"{message.topic()} partition {message.partition()} offset {message.offset()}: {sentence}")


def _reader_is_gone() -> bool:
    """Return whether standard output is a pipe that nobody reads any more; writes nothing to find out."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
    except (OSError, ValueError):
        return False


def _say(text: str) -> None:
    sys.stderr.write("\n".join(printable(line) for line in text.split("\n")) + "\n")
    sys.stderr.flush()
