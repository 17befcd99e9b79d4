"""Handles SIGTERM, SIGINT and SIGHUP on a thread of its own.

A Python signal handler runs on the main thread, and only between two of its instructions: not while the Kafka
client waits inside a call, which after a crash of the broker can be minutes. So the interpreter writes each signal
into a socket at once (`signal.set_wakeup_fd`), and a thread reads it there; where the main thread does not come to
its end in time, that thread ends the process.
"""

import os
import signal
import socket
import threading
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

_STOP_TIMEOUT_S = 8.0  # after SIGTERM; the process must end within 10 s


@dataclass(frozen=True)
class Signals:
    """Events: the process must stop (`stopped`) or reload its model (`reload`), or has ended (`ended`)."""

    stopped: threading.Event = field(default_factory=threading.Event)
    reload: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


def listen() -> Signals:
    """Listen for signals: SIGTERM and SIGINT set `stopped`, SIGHUP sets `reload`. Call it on the main thread.

    Where `ended` is not set in time after `stopped`, the process ends with status 0: its open transaction is
    dropped, the broker aborts it, and its readings are read again at the next start.
    """
    signals = Signals()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    signal.set_wakeup_fd(theirs.detach(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    threading.Thread(target=_listen, args=(ours, signals), daemon=True, name="signals").start()
    return signals


def _listen(source: socket.socket, signals: Signals) -> None:
    while True:
        number = source.recv(1)[0]
        if number == signal.SIGHUP:
            signals.reload.set()
        elif number in {signal.SIGTERM, signal.SIGINT} and not signals.stopped.is_set():
            log.info("stopping", signal=signal.Signals(number).name)
            signals.stopped.set()
            threading.Thread(target=_end, args=(signals,), daemon=True, name="end").start()


def _end(signals: Signals) -> None:
    if not signals.ended.wait(_STOP_TIMEOUT_S):
        log.warning("the broker does not answer: the open transaction is dropped, and read again at the next start")
        os._exit(0)
