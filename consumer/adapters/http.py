"""What the service says over HTTP: /metrics, /healthz, /readyz and /model, on threads beside the loop.

A client can neither stop the loop nor wait for ever: each connection carries one request and is closed after
some seconds, however slowly the client sends or reads.
"""

import contextlib
import errno
import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import structlog
import tzdata  # type: ignore[import-untyped]

from consumer.adapters.metrics import CONTENT_TYPE, Metrics
from consumer.adapters.model import Model
from season.settings import SettingError

log = structlog.get_logger()

STANDSTILL = 60.0
"""Seconds without a turn after which the loop counts as dead."""
SILENCE = 20.0
"""Seconds without an answer after which the broker counts as gone; /readyz has to say so within 30."""

_LONGEST_REQUEST = 10.0
_TEXT = "text/plain; charset=utf-8"
_POLL_S = 0.2

Answer = tuple[int, str, bytes]


class Status:
    """How the loop is, told by the loop and asked by others: safe for several threads.

    `clock` gives seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beat = clock()
        self._answered: float | None = None
        self._outside: str | None = "the group has not let this member in yet"
        self._missing: frozenset[int] = frozenset()
        self._obstacle: str | None = None

    def beat(self) -> None:
        """Note that the loop has begun another turn, or waits for the broker on purpose."""
        self._beat = self._clock()

    def answered(self) -> None:
        """Note that the broker has answered."""
        self._answered = self._clock()

    def membership(self, outside: str | None) -> None:
        """Note why this member is not in the group, or None where it is."""
        self._outside = outside

    def partitions(self, assigned: set[int], restored: set[int]) -> None:
        """Note which partitions this instance has, and which of them are restored."""
        self._missing = frozenset(assigned - restored)

    def cannot_write(self, why: str | None) -> None:
        """Note what stands in the way of writing, or None where nothing does."""
        self._obstacle = why

    def broker_answers(self) -> bool:
        """Return whether the broker has answered lately."""
        answered = self._answered
        return answered is not None and self._clock() - answered < SILENCE

    def health(self) -> str | None:
        """Return why the service is not healthy, or None where it is."""
        still = self._clock() - self._beat
        return f"the loop has stood still for {still:.0f} s" if still >= STANDSTILL else None

    def unready(self) -> str | None:
        """Return why the service is not ready, or None where it is."""
        if not self.broker_answers():
            return "the broker does not answer"
        if self._obstacle is not None:
            return self._obstacle
        if self._outside is not None:
            return self._outside
        missing = sorted(self._missing)
        return f"partitions being restored: {', '.join(map(str, missing))}" if missing else None


@contextlib.contextmanager
def serve(host: str, port: int, status: Status, metrics: Metrics, model: Callable[[], Model]) -> Iterator[int]:
    """Answer on `host` and `port` (HTTP_HOST, HTTP_PORT) while the context lasts; yield the port that is used.

    Raises `SettingError` where the port is taken or the host is none of this machine's.
    """
    pages: dict[str, Callable[[], Answer]] = {
        "/metrics": lambda: (200, CONTENT_TYPE, metrics.text()),
        "/healthz": lambda: _sentence(status.health(), "alive"),
        "/readyz": lambda: _sentence(status.unready(), "ready"),
        "/model": lambda: (200, "application/json", _describe(model())),
    }
    with _bind(host, port, pages) as server:
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True, name="http")
        thread.start()
        chosen: int = server.server_address[1]
        log.info("listening for HTTP", host=host, port=chosen)
        try:
            yield chosen
        finally:
            server.shutdown()


def check_address(host: str, port: int) -> None:
    """Raise SettingError where nothing can be served on `host` and `port` now."""
    with _bind(host, port, {}):
        pass


def _sentence(trouble: str | None, fine: str) -> Answer:
    return 503 if trouble else 200, _TEXT, f"{trouble or fine}\n".encode()


def _describe(model: Model) -> bytes:
    said = {
        **model.contract.model_dump(mode="json"),
        "version": model.version,
        "path": model.path,
        "tzdata": tzdata.IANA_VERSION,
    }
    return json.dumps(said, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def _bind(host: str, port: int, pages: dict[str, Callable[[], Answer]]) -> "_Server":
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return _Server(family, address, pages)
    except PermissionError:
        raise SettingError(f"HTTP_PORT={port}: this user may not listen there; a port from 1024 is allowed") from None
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            sentence = f"HTTP_PORT={port}: the port is taken on {host}; a free one is allowed (0 takes any)"
        else:
            cause = getattr(error, "strerror", None) or str(error)
            sentence = f"HTTP_HOST={host!r}: cannot listen there ({cause}); an address of this machine is allowed"
        raise SettingError(sentence) from None


class _Server(socketserver.ThreadingTCPServer):
    """A thread a connection, each closed when its time is over; unlike http.server's it looks no names up."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, family: int, address: Any, pages: dict[str, Callable[[], Answer]]) -> None:
        self.address_family = family
        self.pages = pages
        self._open: dict[socket.socket, float] = {}
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Cut off connections that last too long. The server calls this after each request and in each wait."""
        latest = time.monotonic() - _LONGEST_REQUEST
        for request, began in list(self._open.items()):
            if began < latest:
                with contextlib.suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("an HTTP request was broken off", client=client_address[0], exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "season"
    sys_version = ""
    timeout = _LONGEST_REQUEST

    def do_GET(self) -> None:
        """Answer with the page."""
        page = self.server.pages.get(self.path.partition("?")[0])
        known = " ".join(self.server.pages)
        self._answer(*(page() if page else (404, _TEXT, f"not here; there are {known}\n".encode())))

    def do_HEAD(self) -> None:
        """Answer with the page's headers alone."""
        self.do_GET()

    def parse_request(self) -> bool:
        """Parse a request, and refuse all methods but GET and HEAD: nothing can be changed over HTTP."""
        if not super().parse_request():
            return False
        if self.command not in {"GET", "HEAD"}:
            self._answer(405, _TEXT, b"only GET and HEAD are allowed\n")
            return False
        return True

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if status == 405:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name it has)
        """Log a request for debugging alone: at other levels a line for each would hide the rest."""
        log.debug("HTTP request", client=self.client_address[0], said=format % args)
