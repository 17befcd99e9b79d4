"""Finds out whether the broker answers, which version it has, and how the connection is protected."""

import re
import time
from collections.abc import Callable

from consumer.check.findings import Finding, note, ok, refused
from season.cli import StoppedError
from season.client.admin import Admin
from season.fault import Properties
from season.kafka import connect
from season.settings import RefusedError

_REACH_S = 10.0
_ANSWER_S = 5.0
_VERSIONS = re.compile(r"ApiKey Produce \(0\) Versions \d+\.\.(\d+)")
# The client does not know the broker's version, but the versions of its requests: the newest version of the request
# that writes, and the first Apache Kafka that has it.
_SINCE = {9: "2.8", 10: "3.7", 11: "3.8", 12: "4.0", 13: "4.1"}


class Reached:
    """An attempt to reach the broker: `admin` is there where it answers, `findings` say what was seen."""

    def __init__(self, properties: Properties, say: Callable[[str], None]) -> None:
        self.admin: Admin | None = None
        self.findings: list[Finding] = []
        self._lines: list[str] = []
        self._servers = str(properties["bootstrap.servers"])
        self._connect(properties, say)

    def _connect(self, properties: Properties, say: Callable[[str], None]) -> None:
        debug = str(properties.get("debug", ""))
        deadline = time.monotonic() + _REACH_S

        def note_line(line: str) -> None:
            self._lines.append(line)
            if debug:
                say(line)

        watched = {**properties, "debug": ",".join(filter(None, [debug, "feature"]))}
        try:
            self.admin = connect(watched, note_line, lambda: time.monotonic() >= deadline)
        except RefusedError as error:
            self.findings.append(refused(str(error), "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD say who we are"))
        except StoppedError:
            waits = [line for line in self._lines if line.startswith("waiting for the broker")]
            why = waits[-1].partition(": ")[2] if waits else "it does not answer"
            self.findings.append(
                refused(
                    f"KAFKA_BOOTSTRAP_SERVERS={self._servers!r}: no answer within {_REACH_S:g} s: {why}",
                    "start the broker, or set KAFKA_BOOTSTRAP_SERVERS and KAFKA_SECURITY_PROTOCOL to where and how "
                    "it listens; the service would wait for it",
                )
            )
        else:
            self.findings += [self._cluster(), _security(properties)]

    def _cluster(self) -> Finding:
        assert self.admin is not None
        cluster = self.admin.cluster(_ANSWER_S)
        brokers = ", ".join(sorted(cluster.brokers.values()))
        return ok(f"{self._servers} answers: {version(self._lines)}; cluster {cluster.cluster_id}, brokers {brokers}")


def version(lines: list[str]) -> str:
    """Return the broker's version, by the client's lines about its requests."""
    newest = max((int(found[1]) for line in lines if (found := _VERSIONS.search(line))), default=0)
    known = [since for number, since in _SINCE.items() if number <= newest]
    return f"Apache Kafka {known[-1]} or later, as its requests tell" if known else "its version cannot be told"


def _security(properties: Properties) -> Finding:
    """Return how the connection is encrypted and authenticated."""
    protocol = str(properties.get("security.protocol", "plaintext")).upper()
    if protocol == "PLAINTEXT":
        return note("security protocol PLAINTEXT: neither encrypted nor authenticated")
    parts = ["encrypted by TLS" if protocol.endswith("SSL") else "not encrypted"]
    if protocol.startswith("SASL"):
        mechanism = properties.get("sasl.mechanism", properties.get("sasl.mechanisms", "GSSAPI"))
        user = properties.get("sasl.username")
        parts.append(f"authenticated by {mechanism}" + (f" as {user!r}" if user else ""))
    return ok(f"security protocol {protocol}: {', '.join(parts)}")
