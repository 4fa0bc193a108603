"""Keep a wire message that could not be worked, tell a person, let the stream go on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from journal.bulk import insert_rows
from journal.domain.records import Anomaly, Severity
from journal.models import SetAside
from journal.services.raise_anomaly import raise_anomaly
from kernel.ids import new_id

WIRE_MESSAGE_SET_ASIDE = "WIRE_MESSAGE_SET_ASIDE"


def set_aside_message(
    *, source: str, position: str, session: str, reason: str, payload: Mapping[str, Any], at: datetime
) -> None:
    """``source`` and ``position`` name the message once; a second call for the same one changes nothing."""
    with transaction.atomic():
        written = insert_rows(
            SetAside,
            [(new_id(), source, position, reason, dict(payload), at)],
            fields=("id", "source", "position", "reason", "payload", "recorded_at"),
            on_conflict="DO NOTHING",
            returning=("id",),
        )
        if not written:
            return
        raise_anomaly(
            anomaly=Anomaly(
                kind=WIRE_MESSAGE_SET_ASIDE,
                severity=Severity.HIGH,
                subject_type="session",
                subject_id=session,
                sentence=f"A message of session {session} could not be worked and was set aside: {reason}",
                dedupe_key=f"{source}:{position}",
                evidence=dict(payload),
            ),
            actor="process:venues",
            at=at,
        )
