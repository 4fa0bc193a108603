"""Ask a second person for another time that records are kept."""

from __future__ import annotations

from datetime import datetime

from authorisation.domain.principal import KEEP_RECORDS, Principal
from authorisation.selectors import has_open_request
from authorisation.services.raise_request import RaisedRequest, raise_request
from journal.domain.retention import class_of, require_days
from journal.selectors.retention import kept_days
from kernel.errors import Conflict, Invalid

KIND = "retention_change"


def ask_retention_change(*, actor: Principal, at: datetime, record_class: str, days: int, reason: str) -> RaisedRequest:
    """Raises NotPermitted, Invalid RETENTION_UNKNOWN or RETENTION_INVALID, Conflict RETENTION_ASKED."""
    actor.require(KEEP_RECORDS, "Your role may not change how long records are kept.")
    require_days(record_class, days)
    if not 0 < len(reason.strip()) <= 500:
        raise Invalid("RETENTION_INVALID", "Say why.", {"reason": ["Say why, in at most 500 characters."]})
    if has_open_request(kind=KIND, subject_id=record_class):
        raise Conflict("RETENTION_ASKED", "A change for these records waits for a second person already.")
    return raise_request(
        actor=actor,
        at=at,
        kind=KIND,
        subject_type="retention",
        subject_id=record_class,
        subject_version=1,
        payload={
            "record_class": record_class,
            "kept_days": days,
            "was_days": kept_days(record_class, at=at),
            "reason": reason.strip(),
        },
        summary=f"Keep {class_of(record_class).title.lower()} {days:,} days: {reason.strip()}"[:300],
    )
