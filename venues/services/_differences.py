"""The exception of one difference, and the block of the account it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from risk.selectors import list_standing_blocks
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block
from venues.domain.recovering import SENTENCES, Kind
from venues.models import RecoveryDifference

_CRITICAL = frozenset({Kind.EXECUTION_MISSING.value, Kind.EXECUTION_SURPLUS.value, Kind.NOT_OURS.value})


def difference_anomaly(
    *,
    session: str,
    kind: str,
    order_id: UUID | None,
    ref: str,
    venue_order_id: str,
    ours: Mapping[str, str],
    theirs: Mapping[str, str],
    settled: str = "",
) -> Anomaly:
    """One matter for each order of ours, or of the venue where it is none of ours."""
    name = ref or venue_order_id
    return Anomaly(
        kind=kind if kind != Kind.NOT_OURS.value else "ORDER_NOT_OURS",
        severity=Severity.CRITICAL if kind in _CRITICAL else Severity.HIGH,
        subject_type="order" if order_id is not None else "venue_order",
        subject_id=str(order_id) if order_id is not None else venue_order_id,
        sentence=f"{name}: {settled or _sentence(session, kind)}",
        dedupe_key=f"difference:{session}:{order_id or venue_order_id}",
        evidence={"session": session, "venue_order_id": venue_order_id, "ours": dict(ours), "theirs": dict(theirs)},
    )


def _sentence(session: str, kind: str) -> str:
    blocked = "" if kind == Kind.NOT_OURS.value else " What adds risk on its account is blocked until both agree."
    return f"compared with the venue of {session}, {SENTENCES[Kind(kind)]}.{blocked}"


def set_block(*, account_id: UUID, group: str, at: datetime) -> None:
    """Impose or lift the account's block of this group's recoveries, as differences stand. In the caller's transaction."""
    process, scope, source = process_principal("gateway"), "account", f"recovery:{group}"
    standing = RecoveryDifference.objects.filter(
        account_id=account_id, recovery__session_group=group, resolved_at=None
    ).exists()
    blocked = any((b.scope, b.scope_id, b.source) == (scope, str(account_id), source) for b in list_standing_blocks())
    if standing and not blocked:
        reason = f"Orders at {group} differ from the venue's; the page of its session lists them."
        impose_block(actor=process, at=at, scope=scope, scope_id=str(account_id), source=source, reason=reason)
    elif blocked and not standing:
        reason = "Venue and house agree again."
        lift_block(actor=process, at=at, scope=scope, scope_id=str(account_id), source=source, reason=reason)
