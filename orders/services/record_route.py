"""Keep which session group an order goes to. Told by routing, once; the same word again changes nothing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from kernel.errors import Conflict, NotFound
from orders.locks import lock_orders
from orders.services._moving import Said, record

ACTOR = "process:routing"


def record_route(*, order_id: UUID, session_group: str, at: datetime) -> None:
    """Set the group. Raises NotFound ORDER_UNKNOWN, Conflict ORDER_ROUTED when it went elsewhere before."""
    with transaction.atomic():
        order = lock_orders([order_id]).get(order_id)
        if order is None:
            raise NotFound("ORDER_UNKNOWN", "There is no such order.", {"order_id": str(order_id)})
        if order.session_group == session_group:
            return
        if order.session_group:
            raise Conflict("ORDER_ROUTED", f"{order.ref} was routed to {order.session_group} before.")
        order.session_group = session_group
        payload = {"order_id": str(order_id), "ref": order.ref, "session_group": session_group}
        record(order, [Said("OrderRouted", payload, ACTOR)], at=at, changed=["session_group"])
