"""The last step before the wire, in one durable transaction: claim, check at the boundary, prove, commit.

What this returns has been handed over: it may be given to the engine exactly once, and never again after a restart.
Refusals are not made here: they touch accounts, and each is its own transaction (``refuse_intent``).

How many may leave is what the session's rate allows at this moment (``risk.domain.rates``): cancels first, orders only as
far as the share that is kept for cancels. What is over waits here, in its place; nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from journal.bulk import insert_rows, update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.crash_points import crash_point
from kernel.errors import Unavailable
from orders.domain.lineage import Departure
from orders.domain.results import BoundaryAnswer
from orders.locks import lock_departing
from orders.services.check_boundaries import check_boundaries
from orders.services.record_hand_over import record_hand_over
from risk.domain.rates import RateKind, session_subject
from risk.selectors.rates import get_bucket
from risk.services.count_messages import count_messages
from venues.adapters.base import Adapter
from venues.domain.fix_codec import Fields, join
from venues.domain.messages import ClaimedIntent, IntentKind, OutboundIntent, dont_know_from_payload, terms_from_message
from venues.locks import claim_intents, lock_waiting_news
from venues.models import HandOver, WireIntent
from venues.selectors import session_fence

CANNOT_BE_MAPPED = "CANNOT_BE_MAPPED"
INTENT_FORGED = "INTENT_FORGED"
CANARY_ESCAPED = "CANARY_ESCAPED"
_HAND_OVER_FIELDS = (
    "cl_ord_id", "intent_id", "mapping", "body", "session", "epoch", "fence", "handed_over_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to give to the engine, under the name it was handed over by. ``fields`` begins with MsgType (35).

    ``intent_id`` is that of a post-trade message, whose leaving is marked; 0 for others.
    """

    cl_ord_id: str
    fields: Fields
    intent_id: int = 0


@dataclass(frozen=True, slots=True)
class NotSent:
    """An intent that must be refused (or, for a cancel of an unsent order, completed here) and why."""

    intent_id: int
    code: str
    sentence: str
    completes_locally: bool = False


@dataclass(frozen=True, slots=True)
class HandedOver:
    """``claimed`` counts the intents looked at: fewer than the limit means that nothing more waits, or that what waits does
    so for the session's rate: ``rate_met`` then names it, else it is empty."""

    outgoing: tuple[Outgoing, ...]
    not_sent: tuple[NotSent, ...]
    claimed: int
    rate_met: str = ""


def outbound_of(intent: ClaimedIntent, departure: Departure, *, at: datetime) -> OutboundIntent:
    """The normalised message of an intent. Raises KeyError or ValueError for a payload that is none.

    Names and executed quantity are those of the moment of leaving: requests before it may have been answered or refused
    since it was captured, and a leaves dialect counts from what is executed now.
    """
    return OutboundIntent(
        kind=IntentKind(intent.kind),
        cl_ord_id=intent.cl_ord_id,
        orig_cl_ord_id=departure.orig_cl_ord_id or "",
        venue_order_id=departure.venue_order_id or "",
        terms=terms_from_message(intent.payload["message"]),
        transact_time=at,
        cum_qty=departure.cum_qty,
    )


def mark_handed_over(
    *, group: str, session: str, epoch: str, fence: int, adapter: Adapter, limit: int, only_safe: bool, at: datetime
) -> HandedOver:
    """Claim at most ``limit`` waiting intents of the group and hand over those that may leave now.

    Raises Unavailable SINGLETON_LOST when another gateway has put its fence on the session.
    """
    outgoing: list[Outgoing] = []
    not_sent: list[NotSent] = []
    handed: list[ClaimedIntent] = []
    rows = []
    with transaction.atomic(durable=True):
        if session_fence(session=session) != fence:
            raise Unavailable("SINGLETON_LOST", f"Another gateway has taken over {session}; this one must stop.")
        bucket = get_bucket(kind=RateKind.SESSION, subject=session_subject(session), at=at)
        free, for_risk = bucket.free(), bucket.free(removes_risk=False)
        found = claim_intents(group=group, limit=min(limit, free), risk_limit=0 if only_safe else for_risk)
        disowned = [intent for intent in found if intent.kind == IntentKind.DONT_KNOW]
        claimed = [intent for intent in found if intent.kind != IntentKind.DONT_KNOW]
        answers = check_boundaries(request_ids=[intent.request_id for intent in claimed], at=at)
        departing = lock_departing([intent.request_id for intent in claimed])
        unsent = lock_waiting_news(order_ids=[one.order_id for one in claimed if one.kind == IntentKind.CANCEL])
        originals: dict[UUID, str | None] = {}
        for intent in claimed:
            obstacle = _obstacle(intent, answers[intent.request_id], unsent, at)
            if obstacle is not None:
                not_sent.append(obstacle)
                continue
            order = departing[intent.order_id]
            departure = order.departure(intent.cl_ord_id)
            if departure is None:
                gone = "The request was ended before it could leave."
                not_sent.append(NotSent(intent.id, "REQUEST_NOT_RELEASED", gone))
                continue
            try:
                fields = adapter.map_outbound(outbound_of(intent, departure, at=at))
            except (KeyError, ValueError) as error:
                not_sent.append(NotSent(intent.id, CANNOT_BE_MAPPED, f"The message cannot be made: {error}"))
                continue
            order.left(intent.cl_ord_id, departure)
            originals[intent.request_id] = departure.orig_cl_ord_id
            outgoing.append(Outgoing(intent.cl_ord_id, fields))
            handed.append(intent)
            rows.append((intent.cl_ord_id, intent.id, adapter.mapping, join(fields), session, epoch, fence, at))
        for intent in disowned:
            said = _disowning(intent, adapter, at)
            if said is not None:
                handed.append(intent)
                outgoing.append(Outgoing(intent.cl_ord_id, said))
                rows.append((intent.cl_ord_id, intent.id, adapter.mapping, join(said), session, epoch, fence, at))
        _record(handed, rows, originals, at=at)
        count_messages(used_us={bucket.subject: len(handed) * bucket.mark.step_us})
        if handed:
            crash_point("before_hand_over")
    adding = sum(intent.adds_risk for intent in found)
    met = len(found) >= free if free < limit else adding >= for_risk and for_risk < limit and not only_safe
    return HandedOver(tuple(outgoing), tuple(not_sent), len(found), bucket.mark.words if met else "")


def _obstacle(intent: ClaimedIntent, answer: BoundaryAnswer, unsent: set[UUID], at: datetime) -> NotSent | None:
    if answer.is_canary and intent.kind != IntentKind.CANCEL:
        _tell(CANARY_ESCAPED, intent, f"Canary {intent.cl_ord_id} passed every control; no session takes it.", at)
        return NotSent(intent.id, CANARY_ESCAPED, "The account is a canary's: it has no session.")
    if intent.kind == IntentKind.CANCEL and intent.order_id in unsent:
        return NotSent(intent.id, "", "The order had not been sent.", completes_locally=True)
    if not answer.allowed:
        return NotSent(intent.id, answer.code, answer.sentence)
    message = None if intent.kind == IntentKind.CANCEL else intent.payload.get("message")
    asked = (intent.kind, intent.order_id, intent.cl_ord_id, message)
    if asked != answer.says or (intent.kind == IntentKind.NEW and not intent.adds_risk):
        sentence = f"What waited to be sent as {intent.cl_ord_id} is not what was released; it was not sent."
        _tell(INTENT_FORGED, intent, sentence, at)
        return NotSent(intent.id, INTENT_FORGED, "What was to be sent is not what was released; it was not sent.")
    return None


def _tell(kind: str, intent: ClaimedIntent, sentence: str, at: datetime) -> None:
    """What must never come so far did, and was not sent: the gravest of matters."""
    raise_anomaly(
        anomaly=Anomaly(
            kind=kind,
            severity=Severity.CRITICAL,
            subject_type="order",
            subject_id=str(intent.order_id),
            sentence=sentence,
            dedupe_key=f"{kind.lower().replace('_', '-')}:{intent.id}",
            evidence={"intent_id": intent.id, "request_id": str(intent.request_id), "payload": intent.payload},
        ),
        actor="process:gateway",
        at=at,
    )


def _disowning(intent: ClaimedIntent, adapter: Adapter, at: datetime) -> tuple[tuple[int, str], ...] | None:
    """The DK of an intent: about no request of ours, and no order changes by it. None when it has to be said by phone."""
    try:
        return adapter.dont_know(dont_know_from_payload(intent.payload))
    except (KeyError, ValueError) as error:
        WireIntent.objects.filter(id=intent.id).update(
            state=WireIntent.State.REFUSED, reason=f"{CANNOT_BE_MAPPED}: {error}", closed_at=at
        )
        raise_anomaly(
            anomaly=Anomaly(
                kind="DK_BY_PHONE",
                severity=Severity.HIGH,
                subject_type="session_group",
                subject_id=intent.session_group,
                sentence=f"A DK to {intent.session_group} cannot be sent ({error}); call the venue.",
                dedupe_key=f"dk:{intent.request_id}",
                evidence={"payload": intent.payload},
            ),
            actor="process:gateway",
            at=at,
        )
        return None


def _record(
    handed: Sequence[ClaimedIntent],
    rows: Sequence[tuple[object, ...]],
    originals: Mapping[UUID, str | None],
    *,
    at: datetime,
) -> None:
    if not handed:
        return
    insert_rows(HandOver, rows, fields=_HAND_OVER_FIELDS)
    closed = [(intent.id, WireIntent.State.HANDED_OVER.value, at) for intent in handed]
    update_rows(WireIntent, closed, key=("id",), fields=("state", "closed_at"))
    if originals:
        record_hand_over(request_ids=list(originals), at=at, originals=originals)
