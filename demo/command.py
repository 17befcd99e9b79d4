"""The demo from top to bottom: broker, consumer, a year of real readings, predictions as they come, a summary."""

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from consumer.settings import Settings
from demo.programs import ROOT, DemoError, running
from demo.replay import HOURS, Replayed, await_ready, dead_letters, replay
from demo.terminal import say, step
from kafka_local import KAFKA_VERSION, Broker, BrokerError
from kafka_local.broker import free_port
from kafka_local.jars import JarError, class_path
from season.topics import TopicSettings

MODEL = ROOT / "models" / "season_classifier.onnx"
RUNS = ROOT / ".run"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# All of it must take less than 30 s: a slow start shortens the time to watch.
_BUDGET, _SHORTEST, _LONGEST = 23.0, 8.0, 14.0


class StopSignal(BaseException):
    """A signal asks the demo to end; not an Exception, so that nothing on the way takes it for an error."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


def main() -> int:
    """Run it. Status 0 when every day of the year came out, 1 when something failed, 128 + N on signal N."""
    argparse.ArgumentParser(
        prog="python -m demo",
        description="Replays Italy's load of 2021 through a Kafka and the consumer on this machine, and shows the "
        "predictions as they come. Everything that it starts ends with it.",
    ).parse_args()
    folder = RUNS / f"demo-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    for number in _SIGNALS:
        signal.signal(number, _stop)
    try:
        folder.mkdir(parents=True)
        environ = clean(os.environ)
        if not MODEL.exists():
            train(folder, environ)
        class_path(say=say)
        tell(*run(folder, environ), folder)
    except (DemoError, BrokerError, JarError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except StopSignal as stop:
        sys.stderr.write(f"stopped by a signal; nothing is left running. The logs: {folder}\n")
        return stop.status
    finally:
        shutil.rmtree(folder / "kafka" / "data", ignore_errors=True)
    return 0


def _stop(number: int, _: FrameType | None) -> None:
    # The programs are ended once and in order: a second signal must not interrupt that.
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise StopSignal(number)


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the user's settings of our programs, so that the demo touches no other Kafka."""
    ours = {field.upper() for field in (*Settings.model_fields, *TopicSettings.model_fields)}
    passed = {name: value for name, value in environ.items() if name not in ours and not name.startswith("KAFKA_")}
    return passed | {"PYTHONUNBUFFERED": "1", "ORT_DISABLE_TELEMETRY": "1"}


def train(folder: Path, environ: Mapping[str, str]) -> None:
    """Make the model, as a user would. Raises DemoError."""
    if find_spec("torch") is None:
        raise DemoError(f"there is no {MODEL.relative_to(ROOT)}, and what trains one is not installed: run make demo")
    log = folder / "training.log"
    with (
        step("training a model, since there is none: python -m training train"),
        running(["training", "train"], log, environ) as training,
    ):
        while not training.ended():
            time.sleep(0.1)


def run(folder: Path, environ: dict[str, str]) -> tuple[Replayed, int]:
    """Start Kafka and the consumer, replay, and stop both: what came out, and how many dead letters."""
    began = time.monotonic()
    with ExitStack() as running_now:
        with step(f"starting Apache Kafka {KAFKA_VERSION}"):
            broker = running_now.enter_context(Broker(folder / "kafka", say=say))
        port = free_port()
        environ |= {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers, "HTTP_PORT": str(port)}
        with step(f"starting the consumer on {broker.bootstrap_servers}: python -m consumer"):
            consumer = running_now.enter_context(running(["consumer"], folder / "consumer.log", environ))
            await_ready(consumer, port)
        seconds = min(_LONGEST, max(_SHORTEST, _BUDGET - (time.monotonic() - began)))
        replayed = replay(folder, environ, consumer, seconds)
        letters = dead_letters(port)
        with step("stopping the consumer and Kafka"):
            running_now.close()
    return replayed, letters


def tell(replayed: Replayed, letters: int, folder: Path) -> None:
    """Print the summary."""
    tally, title = replayed.tally, "by month, in %: "
    months = ("\n" + " " * len(title)).join(tally.by_month())
    say(
        f"\n{HOURS:,} readings became {tally.windows} days in {replayed.seconds:.1f} s "
        f"({HOURS / replayed.seconds:,.0f} readings/s), {letters} dead letters\n"
        "(at the pace of the replay: make bench shows how fast it can be)\n"
        f"labelled as the calendar has it: {tally.share()}\n"
        f"{title}{months}\n"
        f"the logs: {folder.relative_to(ROOT)}"
    )
