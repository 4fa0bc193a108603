"""Ask a second person to tell the venue that we do not know its trades: those beyond an order, or of an order of nobody."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from kernel.numbers import plain
from orders.permissions import require_entry
from orders.services._asking import require_order
from orders.services._holds import lock_order_whole
from orders.services._suspense import ANSWER_DK, SuspenseAsked, ask, ask_once, excess_of, lock_unknown


def answer_dk(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    reason: str,
    order_id: UUID | None = None,
    unknown_id: UUID | None = None,
) -> SuspenseAsked:
    """Ask for it, about the excess of an order or about an unknown order. What lies in suspense stays until the venue busts.

    Raises NotPermitted, NotFound, Invalid REASON_INVALID, Conflict (NO_EXCESS, UNKNOWN_ORDER_CLOSED, DECISION_PENDING,
    IDEMPOTENCY_CONFLICT).
    """
    require_entry(actor)
    if order_id is not None:
        require_order(actor, order_id)
        question = partial(_about_order, actor, at, order_id, reason)
    else:
        assert unknown_id is not None, "an order or an unknown order"
        question = partial(_about_unknown, actor, at, unknown_id, reason)
    return ask_once(
        actor=actor,
        at=at,
        route=route,
        idempotency_key=idempotency_key,
        content={"decision": ANSWER_DK, "order_id": order_id, "unknown_id": unknown_id, "reason": reason},
        question=question,
    )


def _about_order(actor: Principal, at: datetime, order_id: UUID, reason: str) -> SuspenseAsked:
    order, _, _ = lock_order_whole(order_id)
    excess = excess_of(order)
    if not excess:
        raise Conflict("NO_EXCESS", f"{order.ref} has no excess now.", {"ref": order.ref})
    return ask(
        actor=actor,
        at=at,
        decision=ANSWER_DK,
        subject_id=order.id,
        version=order.version,
        desk_id=order.desk_id,
        group_id=order.account.group_id,
        reason=reason,
        details={"ref": order.ref, "qty": plain(excess), "about": "order"},
        summary=f"Answer DK to {plain(excess)} executed beyond what {order.ref} ordered.",
    )


def _about_unknown(actor: Principal, at: datetime, unknown_id: UUID, reason: str) -> SuspenseAsked:
    unknown = lock_unknown(unknown_id)
    return ask(
        actor=actor,
        at=at,
        decision=ANSWER_DK,
        subject_id=unknown.id,
        version=1,
        desk_id=None,
        reason=reason,
        details={"name": unknown.name, "qty": plain(abs(unknown.booked_qty)), "about": "unknown"},
        summary=f"Answer DK to order {unknown.name} on {unknown.session}.",
    )
