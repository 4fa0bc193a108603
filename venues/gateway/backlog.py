"""How far the inbox may fall behind before the gateway stops reading: the one bound on what waits in the database.

When a session has more unworked messages than ``BOUND`` the recorder takes nothing more from the engine's queue. That
fills, the engine's callbacks block, the socket is no longer read, and the venue keeps what it has to say: it is asked for
again by number. Nothing is lost and nothing grows. Half of the bound frees it again. Looked at once a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from journal.selectors.anomalies import is_raised
from kernel.clock import utc_now
from venues.selectors.inbox import sessions_behind
from venues.services.report_inbox_depth import inbox_matter, report_inbox_depth

BOUND = 20_000
LOOK_EVERY = timedelta(seconds=1)


class Backlog:
    """The unworked messages of the sessions one recorder writes. For one thread."""

    def __init__(
        self,
        sessions: Sequence[str],
        *,
        bound: int = BOUND,
        look_every: timedelta = LOOK_EVERY,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._sessions = tuple(sessions)
        self._bound = bound
        self._look_every = look_every
        self._clock = clock
        self._looked_at: datetime | None = None
        self._behind: set[str] | None = None

    def is_too_long(self) -> bool:
        """Whether nothing more may be taken in now. Raises what is wrong with the database."""
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= self._look_every:
            self._look(now)
            self._looked_at = now
        return bool(self._behind)

    def _look(self, now: datetime) -> None:
        if self._behind is None:  # a gateway before this one may have told of it
            self._behind = {session for session in self._sessions if is_raised(inbox_matter(session))}
        for session, waiting in sessions_behind(self._sessions, bound=self._bound).items():
            if waiting > self._bound and session not in self._behind:
                self._behind.add(session)
                report_inbox_depth(session=session, waiting=waiting, behind=True, at=now)
            elif waiting <= self._bound // 2 and session in self._behind:
                self._behind.discard(session)
                report_inbox_depth(session=session, waiting=waiting, behind=False, at=now)
