"""The wait to be let into the consumer group: when the log says it, and what /readyz says meanwhile."""

import structlog

log = structlog.get_logger()

NOTICE_AFTER_S = 2.0
"""A group that waits for nobody lets a member in sooner than this, in most cases."""


class Admission:
    """Reports to the log and /readyz that the group has not let this member in yet."""

    def __init__(self, session_timeout: str) -> None:
        """Keep `session_timeout`: how long the group waits for a member that died, in words."""
        self._session_timeout = session_timeout
        self._waits_since: float | None = None
        self._logged = False

    def observe(self, outside: str | None, broker_answers: bool, now: float) -> str | None:
        """Return why this member is not ready, or None where the group has let it in.

        `outside` is why it is not in the group, `now` a clock that never goes back. A wait is logged once. A broker
        that does not answer lets nobody in and has a log line of its own, so the wait counts from its latest answer.
        """
        if outside is None:
            if self._logged:
                log.info("the group has let this member in")
            self._waits_since, self._logged = None, False
            return None
        sentence = f"{outside}; a dead member is waited for no longer than {self._session_timeout}"
        if not broker_answers:
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = now
        elif now - self._waits_since >= NOTICE_AFTER_S and not self._logged:
            self._logged = True
            log.warning(sentence)
        return sentence
