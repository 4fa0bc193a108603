"""What the doors about suspense share: one open question a subject, asked once under a key, put before a second person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.errors import Conflict, Invalid, NotFound
from kernel.numbers import plain
from orders.domain.state import State
from orders.domain.suspense import excess_units
from orders.locks import lock_unknown_orders
from orders.models import Order, UnknownOrder
from orders.services._answers import content_hash, key_owner

KIND = "suspense"
ACCEPT_EXCESS, ANSWER_DK, ACCEPT_UNKNOWN = "accept_excess", "answer_dk", "accept_unknown"
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class SuspenseAsked:
    """The question that now waits for a second person. ``replayed``: the key had been answered so before."""

    authorisation_id: UUID
    sentence: str
    replayed: bool = False


def ask_once(
    *,
    actor: Principal,
    at: datetime,
    route: str,
    idempotency_key: str,
    content: Mapping[str, Any],
    question: Callable[[], SuspenseAsked],
) -> SuspenseAsked:
    """Put the question in one transaction with its key, or give the answer that the same key was given before.

    ``content`` is everything the caller sent. Raises Invalid IDEMPOTENCY_KEY_INVALID, Conflict IDEMPOTENCY_CONFLICT, and
    what ``question`` raises; then nothing is kept.
    """
    digest = content_hash(None, (), **content)
    scope = {"principal": key_owner(actor), "route": route, "key": idempotency_key, "payload_hash": digest}
    with transaction.atomic():
        stored = claim_key(**scope)
        if stored is not None:
            return SuspenseAsked(UUID(stored.answer["authorisation_id"]), stored.answer["sentence"], replayed=True)
        asked = question()
        answer = {"authorisation_id": str(asked.authorisation_id), "sentence": asked.sentence}
        store_answer(**scope, status=202, answer=answer, at=at)
    return asked


def ask(
    *,
    actor: Principal,
    at: datetime,
    decision: str,
    subject_id: UUID,
    version: int,
    desk_id: int | None,
    group_id: int | None = None,
    reason: str,
    details: Mapping[str, Any],
    summary: str,
) -> SuspenseAsked:
    """Raise it, inside the caller's transaction; the subject's row is locked. The decision binds to ``details``.

    Raises Invalid REASON_INVALID, Conflict DECISION_PENDING; then nothing is kept.
    """
    if not reason.strip() or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    waiting = AuthorisationRequest.objects.filter(kind=KIND, subject_id=str(subject_id), state__in=OPEN)
    if waiting.exists():
        raise Conflict("DECISION_PENDING", "A decision about this waits for a second person already.")
    raised = raise_request(
        actor=actor,
        at=at,
        kind=KIND,
        subject_type=KIND,
        subject_id=str(subject_id),
        subject_version=version,
        payload={"decision": decision, "subject_id": str(subject_id), "reason": reason, **details},
        summary=summary,
        desk_id=desk_id,
        group_id=group_id,
    )
    return SuspenseAsked(raised.id, f"{summary} It waits for a second person.")


def excess_of(order: Order) -> Decimal:
    """What was executed beyond what was ordered and accepted."""
    return excess_units(cum_qty=order.cum_qty, order_qty=order.order_qty, accepted=order.accepted_excess)


def split_of(state: State) -> list[str]:
    """What the splits come to that the venue has stated of the order: new shares and old ones."""
    return [plain(state.new), plain(state.old)]


def lock_unknown(unknown_id: UUID) -> UnknownOrder:
    """The unknown order under lock. Raises NotFound UNKNOWN_ORDER_UNKNOWN, Conflict UNKNOWN_ORDER_CLOSED when it is none any more."""
    row = lock_unknown_orders([unknown_id]).get(unknown_id)
    if row is None:
        raise NotFound("UNKNOWN_ORDER_UNKNOWN", "There is no such order of a venue.")
    if row.closed_at is not None:
        raise Conflict("UNKNOWN_ORDER_CLOSED", f"Order {row.name} is not unknown any more.")
    return row
