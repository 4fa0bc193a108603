"""Which policies stand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max

from authorisation.domain.policy import PolicyRow
from authorisation.domain.policy_change import PolicyChange
from authorisation.models import ApprovalPolicy


def standing_policies(*, at: datetime, kind: str | None = None) -> tuple[PolicyRow, ...]:
    """The rows that stand at a moment, of one kind or of all: of each key the newest that began, unless it ended it."""
    rows = ApprovalPolicy.objects.filter(effective_from__lte=at, **({"kind": kind} if kind else {}))
    newest = rows.order_by("kind", "desk_id", "above", "currency", "-effective_from", "-version").distinct(
        "kind", "desk_id", "above", "currency"
    )
    return tuple(
        PolicyRow(
            id=row.pk,
            kind=row.kind,
            desk_id=row.desk_id,
            above=row.above,
            currency=row.currency,
            version=row.version,
            checkers=row.checkers,
            right=row.right,
            patience_s=row.patience_s,
            claim_s=row.claim_s,
            stops_clock=row.stops_clock,
        )
        for row in newest
        if not row.ended
    )


def last_version(change: PolicyChange) -> int:
    """The newest version of a key, standing or ended; 0 where there never was one."""
    key: dict[str, Any] = {"desk_id": change.desk_id, "above": change.above}
    rows = ApprovalPolicy.objects.filter(kind=change.kind, currency=change.currency, **key)
    return int(rows.aggregate(last=Max("version"))["last"] or 0)
