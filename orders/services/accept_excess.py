"""Ask a second person to take what was executed beyond OrderQty as the order's own."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from kernel.numbers import ZERO, plain
from orders.domain.facts import facts_from_json
from orders.permissions import require_entry
from orders.services._asking import require_order
from orders.services._holds import lock_order_whole
from orders.services._suspense import ACCEPT_EXCESS, SuspenseAsked, ask, ask_once, excess_of, split_of


def accept_excess(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    order_id: UUID,
    reason: str,
    qty: Decimal | None = None,
) -> SuspenseAsked:
    """Ask to accept ``qty`` units of the excess, all of it by default. Nothing moves before the second person's word.

    Raises NotPermitted, NotFound ORDER_UNKNOWN, Invalid REASON_INVALID, Conflict (NO_EXCESS, DECISION_PENDING,
    IDEMPOTENCY_CONFLICT).
    """
    require_entry(actor)
    require_order(actor, order_id)

    def question() -> SuspenseAsked:
        order, _, _ = lock_order_whole(order_id)
        excess = excess_of(order)
        wanted = excess if qty is None else qty
        if not ZERO < wanted <= excess:
            raise Conflict("NO_EXCESS", f"{order.ref} has {plain(excess)} units of excess now.", {"ref": order.ref})
        return ask(
            actor=actor,
            at=at,
            decision=ACCEPT_EXCESS,
            subject_id=order.id,
            version=order.version,
            desk_id=order.desk_id,
            group_id=order.account.group_id,
            reason=reason,
            details={"ref": order.ref, "qty": plain(wanted), "split": split_of(facts_from_json(order.facts).state)},
            summary=f"Accept {plain(wanted)} executed beyond what {order.ref} ordered.",
        )

    return ask_once(
        actor=actor,
        at=at,
        route=route,
        idempotency_key=idempotency_key,
        content={"decision": ACCEPT_EXCESS, "order_id": order_id, "reason": reason, "qty": qty},
        question=question,
    )
