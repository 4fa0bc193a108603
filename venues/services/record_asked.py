"""Questions have left: count them, say when the next is due, and tell a person when asking has gone on too long.

Called after the engine took them. A process that dies in between asks once more: a question changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from journal.bulk import update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from venues.adapters.base import Adapter
from venues.domain.inquiring import needs_person, pause_after
from venues.domain.messages import IntentKind, OutboundIntent, terms_from_message
from venues.models import FixSession, Inquiry
from venues.selectors.inquiries import DueInquiry

ACTOR = "process:gateway"
MANUAL_REVIEW = "MANUAL_REVIEW"


def record_asked(*, session: str, asked: Collection[DueInquiry], sent: bool, at: datetime) -> None:
    """``sent`` is False when they could not be asked (session down, venue takes no question): only time counts then."""
    if not asked:
        return
    with transaction.atomic():
        told = [q for q in asked if not q.reviewed and _needs_person(q, sent, at)]
        _count(asked, sent=sent, at=at)
        if told:
            Inquiry.objects.filter(request_id__in=[q.request_id for q in told]).update(review_at=at)
            venue = FixSession.objects.select_related("venue").get(name=session).venue
            append_to_stream(
                drafts=[
                    anomaly_draft(
                        anomaly=review_anomaly(
                            order_id=q.order_id,
                            request_id=q.request_id,
                            cl_ord_id=q.cl_ord_id,
                            sentence=_sentence(q, venue.name, venue.phone, sent=sent),
                            phone=venue.phone,
                        ),
                        actor=ACTOR,
                        at=at,
                    )
                    for q in told
                ],
                at=at,
            )


def status_request(inquiry: DueInquiry, *, adapter: Adapter, at: datetime) -> tuple[tuple[int, str], ...]:
    """The question (35=H) for an inquiry, under the ClOrdID that is asked for."""
    return adapter.map_outbound(
        OutboundIntent(
            kind=IntentKind.STATUS,
            cl_ord_id=inquiry.cl_ord_id,
            orig_cl_ord_id="",
            venue_order_id=inquiry.venue_order_id,
            terms=terms_from_message(inquiry.message),
            transact_time=at,
        )
    )


def _needs_person(inquiry: DueInquiry, sent: bool, at: datetime) -> bool:
    return needs_person(attempts=inquiry.attempts + sent, opened_at=inquiry.opened_at, now=at)


def _count(asked: Collection[DueInquiry], *, sent: bool, at: datetime) -> None:
    rows = [(q.request_id, q.attempts + sent, at + pause_after(q.attempts + 1)) for q in asked]
    update_rows(Inquiry, rows, key=("request_id",), fields=("attempts", "next_at"))
    if sent:
        ids = [q.request_id for q in asked]
        Inquiry.objects.filter(request_id__in=ids).update(last_asked_at=at)
        Inquiry.objects.filter(request_id__in=ids, first_asked_at=None).update(first_asked_at=at)


def _sentence(inquiry: DueInquiry, venue: str, phone: str, *, sent: bool) -> str:
    asked = inquiry.attempts + sent
    how_often = f"was asked {asked} times" if asked else "could not be asked"
    return (
        f"{inquiry.ref}: {venue} {how_often} about {inquiry.kind} {inquiry.cl_ord_id} and has not said what became of "
        f"it. Phone {phone or 'the venue (no number is known)'}."
    )


def review_anomaly(*, order_id: UUID, request_id: UUID, cl_ord_id: str, sentence: str, phone: str) -> Anomaly:
    """The matter of one request that a person must settle with the venue."""
    return Anomaly(
        kind=MANUAL_REVIEW,
        severity=Severity.CRITICAL,
        subject_type="order",
        subject_id=str(order_id),
        sentence=sentence,
        dedupe_key=f"inquiry:{request_id}",
        evidence={"cl_ord_id": cl_ord_id, "request_id": str(request_id), "phone": phone},
    )
