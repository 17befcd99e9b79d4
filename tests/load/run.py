"""One soak: a group that works and is disturbed, its publisher, and what is seen of them."""

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from kafka_local import Broker
from kafka_local.leash import leashed
from tests.integration.world import ROOT, ServiceProcess, World, wait
from tests.load.made import totals
from tests.load.process import MB
from tests.load.samples import Sample, Sampler
from tests.load.subscriber import LoadSubscriber

_SAMPLE = 5.0  # seconds between samples
_DISTURB = 60.0  # seconds between rebalances


@dataclass(frozen=True)
class Seen:
    """What a run showed: the samples, what was wrong, and how many days of all zones were published."""

    samples: list[Sample]
    problems: list[str]
    days: int


class Soak:
    """One run: the world, its members, and what is seen of them."""

    def __init__(self, world: World, broker: Broker, folder: Path, zones: int, members: int) -> None:
        self.world, self.zones, self.folder = world, zones, folder
        self.problems: list[str] = []
        self.samples: list[Sample] = []
        self.services = [self._start(number) for number in range(members)]
        self.sampler = Sampler(world, broker)
        self.subscriber = LoadSubscriber(world, zones)
        self.days = 0
        self._turns = itertools.count()

    def begin(self) -> None:
        """Waits for the members, and begins to subscribe."""
        for service in self.services:
            service.ready()
        keep_little(self.world)
        self.subscriber.start()

    def close(self) -> None:
        """Leaves no process behind, however the run ended."""
        for service in self.services:
            if service.process.poll() is None:
                service.kill()
        self.sampler.close()

    def calibrate(self, seconds: float) -> float:
        """The highest rate of this machine now: readings a second, published as fast as it goes and worked off."""
        with self.publishing(0):
            began = time.monotonic()
            time.sleep(seconds)
        self._work_off()
        return totals(self.zones, self.days).messages / (time.monotonic() - began)

    def run(self, seconds: float, rate: float) -> None:
        """Publishes at a rate, samples and disturbs for so long, and lets the rest be worked off."""
        with self.publishing(rate):
            began = disturbed = time.monotonic()
            while time.monotonic() - began < seconds:
                self._look()
                if time.monotonic() - disturbed >= _DISTURB:
                    disturbed += _DISTURB
                    self.disturb()
                time.sleep(max(0.0, _SAMPLE - (time.monotonic() - began) % _SAMPLE))
        self._work_off()
        self._look()

    def finish(self) -> Seen:
        """Ends the members, and holds what came out to what was published."""
        self.problems += self.subscriber.finish(self.days)
        for service in self.services:
            self._stop(service)
        return Seen(self.samples, self.problems, self.days)

    @contextmanager
    def publishing(self, rate: float) -> Iterator[None]:
        """A publisher that goes on with the next day; at the end the days that it made whole are counted."""
        told = {"servers": self.world.servers, "topic": self.world.environ["READINGS_TOPIC"], "zones": self.zones}
        options = {**told, "first-day": self.days, "rate": rate}
        command = [sys.executable, "-m", "tests.load.publisher"]
        command += [text for name, value in options.items() for text in (f"--{name}", str(value))]
        with subprocess.Popen(leashed(command), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "publishes\n"
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                said, _ = process.communicate(timeout=120)
        self.days += int(said)

    def _look(self) -> None:
        self.samples.append(self.sampler.sample(self.services))
        for number, service in enumerate(self.services):
            if service.process.poll() is not None:
                self.problems.append(f"member {number} ended by itself with status {service.process.returncode}")
                self.services[number] = self._start(number)

    def disturb(self) -> None:
        """Ends a member other than the first, and starts it again."""
        turn = next(self._turns)
        number = 1 + turn % (len(self.services) - 1)
        if turn % 3 == 2:
            self.services[number].kill()
        else:
            self._stop(self.services[number])
        self.services[number] = self._start(number)

    def _stop(self, service: ServiceProcess) -> None:
        try:
            status = service.stop()
        except subprocess.TimeoutExpired:
            service.kill()
            self.problems.append(f"a member did not end within 10 s of SIGTERM: {service.log.name}")
        else:
            if status != 0:
                self.problems.append(f"a member ended with status {status} on SIGTERM: {service.log.name}")

    def _start(self, number: int) -> ServiceProcess:
        return self.world.service(self.folder, INSTANCE_ID=f"member-{number}", WINDOW_TIME_ZONE="UTC")

    def _work_off(self) -> None:
        try:
            wait(lambda: self.sampler.progress()[1] == 0, 600, "the readings are not worked off")
        except AssertionError as error:
            self.problems.append(str(error))  # what was measured until then is told all the same


def keep_little(world: World) -> None:
    """Lets the broker delete what is read: an hour of readings would fill the disk."""
    for setting in ("READINGS_TOPIC", "PREDICTIONS_TOPIC"):
        kept = {"retention.bytes": str(512 * MB), "segment.bytes": str(64 * MB)}
        entries = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in kept.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, world.environ[setting], incremental_configs=entries)
        for future in world.admin.incremental_alter_configs([resource]).values():
            future.result()
