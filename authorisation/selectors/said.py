"""What people said about a request, and what was asked before it was asked again. Who sees the request sees this."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation.models import Decision, RequestVersion


@dataclass(frozen=True, slots=True)
class SaidLine:
    """One person's word about one version."""

    checker: str
    verdict: str
    reason_code: str
    reason: str
    version: int
    payload_hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EarlierVersion:
    """What was asked before, and the question that sent it back."""

    version: int
    summary: str
    payload_hash: str
    question: str
    asked_by: str
    asked_at: datetime
    replaced_at: datetime


def list_said(request_id: UUID) -> list[SaidLine]:
    """Every word about any version, the earliest first."""
    rows = Decision.objects.filter(request_id=request_id).select_related("checker").order_by("decided_at", "id")
    return [
        SaidLine(
            row.checker.username,
            row.verdict,
            row.reason_code,
            row.reason,
            row.version,
            row.payload_hash,
            row.decided_at,
        )
        for row in rows
    ]


def list_versions(request_id: UUID) -> list[EarlierVersion]:
    """Earlier versions, the latest first."""
    rows = RequestVersion.objects.filter(request_id=request_id).select_related("asked_by").order_by("-version")
    return [
        EarlierVersion(
            row.version,
            row.summary,
            row.payload_hash,
            row.question,
            row.asked_by.username,
            row.asked_at,
            row.replaced_at,
        )
        for row in rows
    ]
