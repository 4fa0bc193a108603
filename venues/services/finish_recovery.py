"""A recovery has compared everything it can: keep what differs, block the accounts concerned, open the session's gate.

The session's gate covers the time in which nothing is known. Once every order has been looked at, what differs is known,
and only the accounts it concerns stay blocked. An order of the venue that is none of ours blocks nobody: it is told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from journal.bulk import insert_rows
from journal.services.append_to_stream import append_to_stream
from journal.services.clear_anomaly import clear_anomaly
from journal.services.raise_anomaly import anomaly_draft
from venues.domain.inquiring import pause_after
from venues.domain.recovering import AtVenue, Kind, Phase, WithUs
from venues.locks import lock_sessions
from venues.models import FixSession, Recovery, RecoveryDifference
from venues.services._differences import difference_anomaly, set_block
from venues.services.record_recovery_progress import ACTOR, overdue_anomaly
from venues.services.record_session_event import record_session_event

_FIELDS = (
    "recovery_id", "session", "kind", "order_id", "account_id", "cl_ord_id", "venue_order_id", "ours", "theirs",
    "attempts", "next_at", "found_at", "resolution",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """One difference. ``order_id`` None: not ours. ``theirs`` None: the venue says nothing of it."""

    kind: Kind
    order_id: UUID | None
    ref: str
    account_id: UUID | None
    cl_ord_id: str
    venue_order_id: str
    ours: WithUs | None
    theirs: AtVenue | None


def finish_recovery(
    *, recovery_id: UUID, fence: int, orders: int, found: Sequence[Found], listed: Collection[str] | None, at: datetime
) -> Phase:
    """How it ended. ``listed`` are the venue's names of all its open orders, None when it could not list them."""
    with transaction.atomic(durable=True):
        row = Recovery.objects.get(id=recovery_id)
        session = lock_sessions(names=[row.session])[row.session]
        if session.fence != fence:
            return Phase.SUPERSEDED
        if listed is not None:
            _forget_strangers(row.session, listed, at)
        _keep(row, found, at)
        standing = RecoveryDifference.objects.filter(session=row.session, resolved_at=None).count()
        phase = Phase.DIFFERENT if standing else Phase.EQUAL
        _close(row, phase, orders, len(found), at)
        if session.state == FixSession.State.RECOVERING:
            session.state, session.state_at, session.state_reason = FixSession.State.LOGGED_ON, at, ""
            session.save(update_fields=["state", "state_at", "state_reason"])
        detail = {"recovery_id": str(row.id), "state": phase.value, "orders": orders, "differences": standing}
        record_session_event(session=row.session, kind="RecoveryEnded", at=at, detail=detail)
    return phase


def _close(row: Recovery, phase: Phase, orders: int, differences: int, at: datetime) -> None:
    if row.overdue_at is not None:
        sentence = f"The recovery of {row.session} has ended: {phase.value}."
        clear_anomaly(anomaly=overdue_anomaly(row.session, sentence), actor=ACTOR, at=at)
    row.state, row.orders, row.differences, row.finished_at = phase.value, orders, differences, at
    row.save(update_fields=["state", "orders", "differences", "finished_at"])


def _keep(row: Recovery, found: Sequence[Found], at: datetime) -> None:
    written = insert_rows(
        RecoveryDifference,
        [
            (
                row.id,
                row.session,
                one.kind.value,
                one.order_id,
                one.account_id,
                one.cl_ord_id,
                one.venue_order_id,
                one.ours.to_json() if one.ours else {},
                one.theirs.to_json() if one.theirs else {},
                0,
                at + pause_after(1),
                at,
                "",
            )
            for one in found
        ],
        fields=_FIELDS,
        on_conflict="DO NOTHING",  # it stood before this logon and still does
        returning=("order_id", "venue_order_id"),
    )
    new = {(order_id, name if order_id is None else "") for order_id, name in written}
    fresh = [f for f in found if (f.order_id, f.venue_order_id if f.order_id is None else "") in new]
    drafts = [
        anomaly_draft(
            anomaly=difference_anomaly(
                session=row.session,
                kind=one.kind.value,
                order_id=one.order_id,
                ref=one.ref,
                venue_order_id=one.venue_order_id,
                ours=one.ours.to_json() if one.ours else {},
                theirs=one.theirs.to_json() if one.theirs else {},
            ),
            actor=ACTOR,
            at=at,
        )
        for one in fresh
    ]
    append_to_stream(drafts=drafts, at=at)
    for account_id in sorted({one.account_id for one in found if one.account_id is not None}):
        set_block(account_id=account_id, group=row.session_group, at=at)


def _forget_strangers(session: str, listed: Collection[str], at: datetime) -> None:
    """Orders of the venue that were none of ours and that it lists no more."""
    gone = list(
        RecoveryDifference.objects.filter(session=session, order_id=None, resolved_at=None).exclude(
            venue_order_id__in=listed
        )
    )
    for one in gone:
        one.resolved_at, one.resolution = at, "The venue lists it no more."
        one.save(update_fields=["resolved_at", "resolution"])
        clear_anomaly(
            anomaly=difference_anomaly(
                session=session, kind=one.kind, order_id=None, ref="", venue_order_id=one.venue_order_id, ours={}, theirs={},
                settled=one.resolution,
            ),
            actor=ACTOR,
            at=at,
        )  # fmt: skip
