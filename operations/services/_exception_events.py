"""The events of an exception, in the stream ``exception:<id>``. They are its history: nothing about it is told elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.numbers import plain
from operations.models import ExceptionItem

OPENED = "ExceptionOpened"
WORSENED = "ExceptionWorsened"
CLEARED = "ExceptionCleared"
ASSIGNED = "ExceptionAssigned"
RESUMED = "ExceptionResumed"
SNOOZED = "ExceptionSnoozed"
WAITS = "ExceptionWaits"
ESCALATED = "ExceptionEscalated"
COMMENTED = "ExceptionCommented"
LABELLED = "ExceptionLabelled"
LINKED = "ExceptionLinked"
SEEN = "ExceptionSeen"
CLOSED = "ExceptionClosed"
FORCED = "ExceptionForceClosed"
PROCESS = "process:exceptions"


def stream_of(item_id: UUID) -> str:
    """The stream of an item."""
    return f"exception:{item_id}"


def event_draft(
    item: ExceptionItem,
    kind: str,
    payload: Mapping[str, Any],
    *,
    actor: str,
    at: datetime,
    on_behalf_of: str = "",
    causation_id: UUID | None = None,
) -> EventDraft:
    """One event of an item: what happened, and where the item stands after it. Each names the item's kind, so that what is for
    compliance alone stays there."""
    event_id = new_id()
    return EventDraft(
        id=event_id,
        stream=stream_of(item.pk),
        kind=kind,
        actor=actor,
        on_behalf_of=on_behalf_of,
        correlation_id=event_id,
        causation_id=causation_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={"exception_id": str(item.pk), "kind": item.kind, **facts_of(item), **payload},
    )


def record(
    item: ExceptionItem, kind: str, payload: Mapping[str, Any], *, actor: str, at: datetime, on_behalf_of: str = ""
) -> None:
    """Append one event in the caller's transaction."""
    append_to_stream(drafts=[event_draft(item, kind, payload, actor=actor, at=at, on_behalf_of=on_behalf_of)], at=at)


def facts_of(item: ExceptionItem) -> dict[str, Any]:
    """What an event says of an item's standing after it."""
    return {
        "severity": item.severity,
        "shown_severity": item.shown,
        "state": item.state,
        "group": item.owner_group,
        "owner_id": item.owner_id,
        "level": item.level,
        "order_id": str(item.order_id) if item.order_id else None,
        "desk_id": item.desk_id,
        "account_group_id": item.account_group_id,
        "exposure": plain(item.exposure) if item.exposure is not None else None,
        "currency": item.currency,
        "due_at": item.due_at.isoformat() if item.due_at else None,
    }
