"""A slow road to a broker: a proxy that lets through so many bytes a second, and a broker behind it."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka_local import Broker
from kafka_local.broker import free_ports

_PIECE = 4096


class Proxy:
    """Listens on a port of 127.0.0.1 and goes on to another one; `rate` is bytes a second each way, None for all."""

    def __init__(self, port: int, to: int) -> None:
        self.port, self._to = port, to
        self.rate: dict[str, float | None] = {"up": None, "down": None}
        self._due = {"up": 0.0, "down": 0.0}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="proxy", daemon=True)

    def start(self) -> None:
        """Begins to listen."""
        self._thread.start()
        assert self._listening.wait(60), "the proxy does not listen"

    def stop(self) -> None:
        """Ends, with all connections."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(60)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=_PIECE)
        self._listening.set()
        await self._stopped.wait()
        server.close()

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            far, on = await asyncio.open_connection("127.0.0.1", self._to, limit=_PIECE)
            await asyncio.gather(self._pass("up", near, on), self._pass("down", far, back))

    async def _pass(self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Passes on one way of a connection; all connections share the way's rate."""
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while piece := await reader.read(_PIECE):
                rate, now = self.rate[way], time.monotonic()
                if rate is not None:
                    self._due[way] = max(now, self._due[way]) + len(piece) / rate
                    await asyncio.sleep(self._due[way] - now)
                writer.write(piece)
                await writer.drain()


@contextmanager
def slow_broker(folder: Path) -> Iterator[tuple[Broker, Proxy]]:
    """A broker, and the proxy through which those reach it who start at the proxy's port."""
    port, behind, near = free_ports(3)
    proxy = Proxy(near, behind)
    settings = {
        "listeners": f"SLOW://127.0.0.1:{behind}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},SLOW://127.0.0.1:{proxy.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SLOW:PLAINTEXT",
    }
    proxy.start()
    try:
        with Broker(folder, settings, port) as broker:
            yield broker, proxy
    finally:
        proxy.stop()
