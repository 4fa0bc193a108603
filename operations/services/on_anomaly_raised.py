"""Keep one open exception item for each matter that rooms below raise, and close it when they say it is settled.

Idempotent by event id: an event already in the item's history changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from authorisation.models import Desk
from journal.domain.records import ANOMALY_CLEARED, ANOMALY_RAISED, EventRecord
from journal.models import Event
from kernel.ids import new_id
from operations.models import ExceptionItem
from orders.models import Order

KEPT_SOURCES = 200


def handle(events: Sequence[EventRecord]) -> None:
    """Apply AnomalyRaised and AnomalyCleared in their order."""
    for event in events:
        if event.kind == ANOMALY_RAISED:
            _raise(event)
        elif event.kind == ANOMALY_CLEARED:
            _clear(event)


def _raise(event: EventRecord) -> None:
    anomaly = event.payload
    if ExceptionItem.objects.filter(dedupe_key=anomaly["dedupe_key"], sources__contains=[str(event.id)]).exists():
        return
    item = ExceptionItem.objects.filter(dedupe_key=anomaly["dedupe_key"], state=ExceptionItem.State.OPEN).first()
    if item is not None:
        item.occurrences += 1
        item.last_seen_at = max(item.last_seen_at, event.event_at)
        item.sentence, item.evidence = anomaly["sentence"], anomaly["evidence"]
        item.severity = max(item.severity, anomaly["severity"], key=_rank)
        item.sources = [*item.sources, str(event.id)][-KEPT_SOURCES:]
        item.save()
        return
    order_id, desk_id = _order_of(anomaly["subject_type"], anomaly["subject_id"])
    desk = Desk.objects.filter(pk=desk_id).first() if desk_id else None
    ExceptionItem.objects.create(
        id=new_id(),
        kind=anomaly["kind"],
        subject=f"{anomaly['subject_type']} {anomaly['subject_id']}",
        order_id=order_id,
        desk=desk,
        severity=anomaly["severity"],
        sentence=anomaly["sentence"],
        evidence=anomaly["evidence"],
        dedupe_key=anomaly["dedupe_key"],
        first_event_id=event.id,
        sources=[str(event.id)],
        raised_at=event.event_at,
        last_seen_at=event.event_at,
    )


def _clear(event: EventRecord) -> None:
    anomaly = event.payload
    item = ExceptionItem.objects.filter(dedupe_key=anomaly["dedupe_key"], state=ExceptionItem.State.OPEN).first()
    if item is None or not _began_before(item, event):
        return
    item.state = ExceptionItem.State.CLEARED
    item.closed_at = event.event_at
    item.closing_sentence = anomaly["sentence"]
    item.sources = [*item.sources, str(event.id)][-KEPT_SOURCES:]
    item.save()


def _began_before(item: ExceptionItem, event: EventRecord) -> bool:
    """By their order in the matter's own stream, never by a clock: clocks of two processes differ, and step back."""
    return Event.objects.filter(id=item.first_event_id, seq__lt=event.seq).exists()


def _rank(severity: str) -> int:
    return list(ExceptionItem.Severity.values).index(severity)


def _order_of(subject_type: str, subject_id: str) -> tuple[UUID | None, int | None]:
    if subject_type != "order":
        return None, None
    try:
        order_id = UUID(subject_id)
    except ValueError:
        return None, None
    return order_id, Order.objects.filter(pk=order_id).values_list("desk_id", flat=True).first()
