"""What the journal knows of why a record is missing: when sessions were down around the day, and what was set aside."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from reconciliation.domain.causes import Causes, Outage
from reconciliation.matching.comparing import Task

_SESSIONS = """
SELECT stream, kind, event_at FROM journal_event
 WHERE split_part(stream, ':', 1) = 'session' AND stream NOT LIKE 'order:%%'
   AND kind IN ('SessionLost', 'SessionLoggedOn') AND event_at BETWEEN %s AND %s
 ORDER BY position
"""
_SET_ASIDE = """
SELECT payload ->> 'raw', reason FROM journal_setaside
 WHERE recorded_at BETWEEN %s AND %s AND payload ? 'raw' ORDER BY recorded_at, id LIMIT 1000
"""
_NAMES = ("17=", "11=", "37=")
AROUND = timedelta(days=2)


def load_causes(cursor: Any, task: Task) -> Causes:
    """Of the day and those beside it."""
    noon = datetime.combine(task.as_of, time(12), tzinfo=task.at.tzinfo)
    window = [noon - AROUND, noon + AROUND]
    cursor.execute(_SESSIONS, window)
    outages = _outages(cursor.fetchall())
    cursor.execute(_SET_ASIDE, window)
    set_aside: dict[str, str] = {}
    for raw, reason in cursor.fetchall():
        for field in str(raw).replace("|", "\x01").split("\x01"):
            if field.startswith(_NAMES):
                set_aside.setdefault(field[3:], reason)
    return Causes(outages, set_aside, task.at, task.cut_at)


def _outages(rows: list[tuple[str, str, datetime]]) -> tuple[Outage, ...]:
    found: list[Outage] = []
    lost: dict[str, datetime] = {}
    for stream, kind, at in rows:
        session = stream.partition(":")[2]
        if kind == "SessionLost":
            lost.setdefault(session, at)
        elif session in lost:
            found.append(Outage(session, lost.pop(session), at))
    return (*found, *(Outage(session, since, None) for session, since in sorted(lost.items())))
