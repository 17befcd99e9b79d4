"""Knows whether this instance can write, and if not, why: aborts in a row, or a coordinator that does not answer.

A cause that can pass by itself (a wrong clock, replicas that are away) is waited for: the log says so once, and
`/readyz` for as long as it lasts. A cause that never passes ends the program.
"""

import time
from collections.abc import Callable, Hashable

import structlog

from consumer.adapters.refusal import Refusal
from consumer.adapters.transaction import AbortedError
from season.client.errors import ClientError, Code
from season.settings import RefusedError

log = structlog.get_logger()

_MAX_ABORTS = 3  # in a row, from which on this instance counts as unable to write
_PATIENCE_S = 7.0  # of waiting for the coordinator, after which the same holds; a move to another broker takes less
_FIRST_DELAY_S, _LONGEST_DELAY_S = 0.1, 1.0
_HOPELESS: dict[int, int] = {
    Code.INVALID_RECORD: 1,
    Code.UNSUPPORTED_COMPRESSION_TYPE: 1,
    # Each abort makes the next transaction smaller, and with it the batches that are too large: down to one reading.
    Code.MSG_SIZE_TOO_LARGE: 10,
}
"""Errors that never pass by themselves, and after how many aborts in a row that is certain."""


class Writing:
    """The causes why nothing is written. `report` gets the sentence for `/readyz`, None once there is no cause.

    `remedy` returns what a person can do about a refusal. Calls may come from several threads, one after the other.
    """

    def __init__(
        self,
        report: Callable[[str | None], None],
        remedy: Callable[[Refusal], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._remedy = remedy
        self._clock = clock
        self._aborts = 0
        self._waits_since: float | None = None
        self._sentences: dict[Hashable, str] = {}  # the sentences logged since the last commit, by cause

    def committed(self) -> None:
        """Note that something was written: this instance can write."""
        if self._sentences:
            log.warning("can write again")
        self.idle()

    def idle(self) -> None:
        """Note that there is nothing to write any more, so that it is not known whether it could be written."""
        self._waits_since = None
        self._aborts = 0
        self._sentences.clear()
        self._report(None)

    def aborted(self, error: AbortedError) -> float:
        """Note an aborted transaction; return the seconds until the next try. Raises RefusedError."""
        why, refusal = str(error), error.refusal
        self._fail(refusal, why)
        if self._aborts < _MAX_ABORTS and not self._sentences:  # what is said already stays true
            log.warning("transaction aborted: going back to what was last committed", error=why)
        return self._delay()

    def refused(self, refusal: Refusal) -> float:
        """Note that a message outside of transactions was refused; return and raise the same."""
        self._fail(refusal, str(refusal))
        return self._delay()

    def waiting(self, error: ClientError | None) -> None:
        """Note that the transaction coordinator does not answer, with the error; None: it has answered."""
        now = self._clock()
        if error is None:
            self._waits_since = None
            if self._aborts < _MAX_ABORTS:
                self.committed()
            return
        if self._waits_since is None:
            self._waits_since = now
        if now - self._waits_since >= _PATIENCE_S:
            self._say("waiting", lambda: f"waiting for the transaction coordinator: {self._remedy(Refusal(error))}")

    def _fail(self, refusal: Refusal | None, why: str) -> None:
        self._aborts += 1
        if refusal is not None and self._aborts >= _HOPELESS.get(refusal.error.code, self._aborts + 1):
            raise RefusedError(self._remedy(refusal))
        if self._aborts >= _MAX_ABORTS:
            row = f"{self._aborts} tries in a row failed"
            if refusal is None:
                self._say(why, lambda: f"{row}: {why}")
            else:
                self._say((refusal.error.code, refusal.topic), lambda: f"{row}: {self._remedy(refusal)}")

    def _delay(self) -> float:
        return min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2 ** (self._aborts - 2)) if self._aborts > 1 else 0.0

    def _say(self, cause: Hashable, sentence: Callable[[], str]) -> None:
        """Say why nothing is written: in the log once for each cause, and to whoever asks whether we are ready."""
        if cause not in self._sentences:
            self._sentences[cause] = sentence()
            log.error("cannot write; trying again until it can", why=self._sentences[cause])
        self._report(self._sentences[cause])
