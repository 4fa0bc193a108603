"""One page of the event stream for another system. A read, but for one thing: an event that breaks its contract is told."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from outbound.domain.telling import Listener
from outbound.selectors import Breach, Page, get_page

CONTRACT_BROKEN = "OUTBOUND_CONTRACT_BROKEN"


def read_events(
    *,
    listener: Listener,
    at: datetime,
    after: int,
    limit: int,
    kinds: Collection[str] | None,
    up_to: int,
) -> Page:
    """What the listener may hear behind ``after``. What cannot be told as promised is left out and becomes an anomaly."""
    page = get_page(listener=listener, after=after, limit=limit, kinds=kinds, up_to=up_to)
    tell_breaches(page.breaches, at=at)
    return page


def tell_breaches(breaches: Iterable[Breach], *, at: datetime) -> None:
    """One matter for each kind of event, however many events and readers meet it."""
    for breach in {one.event.kind: one for one in breaches}.values():
        event = breach.event
        raise_anomaly(
            anomaly=Anomaly(
                kind=CONTRACT_BROKEN,
                severity=Severity.HIGH,
                subject_type="event",
                subject_id=str(event.id),
                sentence=f"{event.kind} of {event.stream} cannot be told as its contract promises: {breach.fault}. "
                "Receivers do not get it.",
                dedupe_key=f"outbound-contract:{event.kind}",
                evidence={"position": event.position, "stream": event.stream, "kind": event.kind},
            ),
            actor="process:outbound",
            at=at,
        )
