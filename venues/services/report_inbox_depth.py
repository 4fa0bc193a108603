"""Tell a person that the inbox is so far behind that the gateway reads no more, and that it has caught up."""

from __future__ import annotations

from datetime import datetime

from journal.domain.records import Anomaly, Severity
from journal.services.clear_anomaly import clear_anomaly
from journal.services.raise_anomaly import raise_anomaly

INBOX_BEHIND = "INBOX_BEHIND"


def inbox_matter(session: str) -> str:
    """What the matter is called: one a session."""
    return f"inbox-behind:{session}"


def report_inbox_depth(*, session: str, waiting: int, behind: bool, at: datetime) -> None:
    """``waiting`` messages are stored and not worked; ``behind``: they are too many to read on."""
    if behind:
        sentence = (
            f"More than {waiting - 1} messages of session {session} wait for the inbox; nothing more is read from the "
            "venue until they are worked. What we show of its orders is old. Look at the inbox processes."
        )
    else:
        sentence = f"The inbox of session {session} has caught up; the venue is read again."
    anomaly = Anomaly(
        kind=INBOX_BEHIND,
        severity=Severity.CRITICAL,
        subject_type="session",
        subject_id=session,
        sentence=sentence,
        dedupe_key=inbox_matter(session),
    )
    record = raise_anomaly if behind else clear_anomaly
    record(anomaly=anomaly, actor="process:gateway", at=at)
