"""What the service says over HTTP is what the loop told, whoever asks and however badly."""

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import tzdata  # type: ignore[import-untyped]

from consumer.adapters import http as module
from consumer.adapters.http import Status, serve
from consumer.adapters.metrics import CONTENT_TYPE, Metrics
from consumer.adapters.model import Model, load
from kafka_local.broker import free_port
from season.settings import SettingError
from tests.made_models import write


class MovedClock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> MovedClock:
    """A clock that stands still."""
    return MovedClock()


@pytest.fixture
def status(clock: MovedClock) -> Status:
    """A status on that clock."""
    return Status(clock)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A tiny model."""
    return load(write(tmp_path / "tiny.onnx"))


@pytest.fixture
def port(status: Status, model: Model) -> Iterator[int]:
    """The port of a server."""
    with serve("127.0.0.1", 0, status, Metrics(), lambda: model) as port:
        yield port


def ask(port: int, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def test_healthy_while_the_loop_turns(port: int, status: Status, clock: MovedClock) -> None:
    """/healthz is 503 when the loop has stood still for 60 seconds, and 200 again after the next turn."""
    clock.now += 59.9
    assert ask(port, "/healthz")[0] == 200
    clock.now += 0.1
    assert ask(port, "/healthz")[::2] == (503, b"the loop has stood still for 60 s\n")
    status.beat()
    assert ask(port, "/healthz")[::2] == (200, b"alive\n")


def test_ready_while_the_broker_answers_and_all_is_restored(port: int, status: Status, clock: MovedClock) -> None:
    """/readyz needs a recent answer and, once joined, every assigned partition, possibly none."""
    assert ask(port, "/readyz")[::2] == (503, b"the broker does not answer\n")
    status.answered()
    status.partitions(set(), set())
    assert ask(port, "/readyz")[::2] == (503, b"the group has not let this member in yet\n")
    status.membership(None)
    assert ask(port, "/readyz")[::2] == (200, b"ready\n")
    status.partitions({0, 1, 2}, {1})
    assert ask(port, "/readyz")[::2] == (503, b"partitions being restored: 0, 2\n")
    status.partitions({1}, {1})
    assert ask(port, "/readyz")[0] == 200
    status.membership("thrown out")
    assert ask(port, "/readyz")[::2] == (503, b"thrown out\n")
    status.membership(None)
    assert ask(port, "/readyz")[0] == 200
    clock.now += 27
    status.beat()
    assert ask(port, "/readyz")[0] == 503
    assert ask(port, "/healthz")[0] == 200


def test_one_that_cannot_write_is_not_ready(port: int, status: Status) -> None:
    """/readyz says what stands in the way, before what else is missing, and for as long as it does."""
    status.answered()
    status.cannot_write("the broker refuses the message's time")
    assert ask(port, "/readyz")[::2] == (503, b"the broker refuses the message's time\n")
    status.membership(None)
    status.partitions({0}, {0})
    assert ask(port, "/readyz")[0] == 503
    assert ask(port, "/healthz")[0] == 200
    status.cannot_write(None)
    assert ask(port, "/readyz")[::2] == (200, b"ready\n")


def test_the_model_is_told(port: int, model: Model) -> None:
    """The contract by its names, and the version, the path and the time zones' version."""
    status, headers, body = ask(port, "/model")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {
        "name": "tiny",
        "labels": ["winter", "summer"],
        "threshold": 0.25,
        "time_zone": "Europe/Rome",
        "day_start": "06:00",
        "training_data": None,
        "training_data_sha256": None,
        "metrics": None,
        "version": model.version,
        "path": model.path,
        "tzdata": tzdata.IANA_VERSION,
    }


def test_metrics_are_prometheus_text(port: int) -> None:
    """/metrics has the type that Prometheus asks for; what follows a question mark changes nothing."""
    status, headers, body = ask(port, "/metrics?name[]=x")
    assert (status, headers["Content-Type"]) == (200, CONTENT_TYPE)
    assert b"season_readings_total 0.0\n" in body


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/model", "/nothing"])
def test_head_is_get_without_a_body(port: int, path: str) -> None:
    """Same status, same headers, no body."""
    head, get = ask(port, path, "HEAD"), ask(port, path)
    assert (head[0], head[2]) == (get[0], b"")
    assert head[1]["Content-Type"] == get[1]["Content-Type"]


def test_what_is_not_there_and_not_allowed(port: int) -> None:
    """404 says what there is, 405 which methods; nothing on the machine can be reached by a path."""
    for path in ("/", "/nothing", "/../etc/passwd", "/metrics/"):
        status, _, body = ask(port, path)
        assert (status, b"/healthz" in body) == (404, True)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"):
        status, headers, _ = ask(port, "/model", method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_junk_gets_no_traceback(port: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Bytes that are no HTTP, and clients that go away at once, disturb nobody."""
    for junk in (b"", b"\x16\x03\x01\xff\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"x" * 70000):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(junk)
    assert ask(port, "/healthz")[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_slow_clients_are_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that sends a byte now and then does not hold its thread for longer than the limit."""
    monkeypatch.setattr(module, "_LONGEST_REQUEST", 0.5)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 60:
                client.sendall(b"G")
                time.sleep(0.05)
    assert 0.4 < time.monotonic() - began < 30
    assert ask(port, "/healthz")[0] == 200


def test_many_silent_clients_keep_nobody_out(port: int) -> None:
    """Connections that say nothing take a thread each, not the server."""
    clients = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(50)]
    assert ask(port, "/healthz")[0] == 200
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    ("host", "setting"), [("192.0.2.1", "HTTP_HOST"), ("no such host", "HTTP_HOST"), ("a..b", "HTTP_HOST")]
)
def test_an_address_that_is_not_ours_is_refused(status: Status, model: Model, host: str, setting: str) -> None:
    """The sentence names the setting and its value."""
    with (
        pytest.raises(SettingError, match=f"^{setting}='{host}': "),
        serve(host, 0, status, Metrics(), lambda: model),
    ):
        pass


def test_a_taken_port_is_refused(status: Status, model: Model, port: int) -> None:
    """The sentence names HTTP_PORT and the port; once it is free it can be taken."""
    with (
        pytest.raises(SettingError, match=f"^HTTP_PORT={port}: the port is taken"),
        serve("127.0.0.1", port, status, Metrics(), lambda: model),
    ):
        pass


def test_a_port_is_free_again_after_the_end(status: Status, model: Model) -> None:
    """A restart can take the port of its predecessor at once."""
    with serve("127.0.0.1", free_port(), status, Metrics(), lambda: model) as port:
        assert ask(port, "/healthz")[0] == 200
    with serve("127.0.0.1", port, status, Metrics(), lambda: model) as again:
        assert again == port


def test_version_six(status: Status, model: Model) -> None:
    """HTTP_HOST may be an address of IPv6, where the machine has it."""
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    with serve("::1", 0, status, Metrics(), lambda: model) as port:
        socket.create_connection(("::1", port), timeout=30).close()
