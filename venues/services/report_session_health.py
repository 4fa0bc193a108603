"""Tell a person that a session stays down, and that it is back."""

from __future__ import annotations

from datetime import datetime, timedelta

from journal.domain.records import Anomaly, Severity
from journal.services.clear_anomaly import clear_anomaly
from journal.services.raise_anomaly import raise_anomaly

SESSION_DOWN_AFTER = timedelta(seconds=5)
SESSION_DOWN = "SESSION_DOWN"


def report_session_health(*, session: str, down_for: timedelta | None, at: datetime) -> None:
    """``down_for`` is how long the session has been down, None when it is logged on again."""
    if down_for is None:
        sentence = f"Session {session} is logged on again."
    else:
        seconds = int(down_for.total_seconds())
        sentence = f"Session {session} has been down for {seconds} s; orders for it are refused or wait."
    anomaly = Anomaly(
        kind=SESSION_DOWN,
        severity=Severity.HIGH,
        subject_type="session",
        subject_id=session,
        sentence=sentence,
        dedupe_key=f"session-down:{session}",
    )
    record = clear_anomaly if down_for is None else raise_anomaly
    record(anomaly=anomaly, actor="process:gateway", at=at)
