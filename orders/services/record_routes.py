"""Keep which session group each order goes to, and by which rules its venue takes requests about it.

Told by routing, once; the same word again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from kernel.errors import Conflict, NotFound
from orders.domain.venue_rules import VenueRules, rules_to_json
from orders.locks import lock_orders
from orders.services._moving import Said, record_all

ACTOR = "process:routing"


def record_routes(*, routes: Mapping[UUID, str], rules: Mapping[str, VenueRules] | None = None, at: datetime) -> None:
    """Set the group of each order and the declared ``rules`` of that group.

    Raises NotFound ORDER_UNKNOWN, Conflict ORDER_ROUTED when one went elsewhere before.
    """
    if not routes:
        return
    with transaction.atomic():
        orders = lock_orders(routes)
        entries = []
        for order_id, group in sorted(routes.items()):
            order = orders.get(order_id)
            if order is None:
                raise NotFound("ORDER_UNKNOWN", "There is no such order.", {"order_id": str(order_id)})
            if order.session_group == group:
                continue
            if order.session_group:
                raise Conflict("ORDER_ROUTED", f"{order.ref} was routed to {order.session_group} before.")
            order.session_group = group
            declared = (rules or {}).get(group)
            order.venue_rules = rules_to_json(declared) if declared is not None else {}
            payload = {
                "order_id": str(order_id),
                "ref": order.ref,
                "session_group": group,
                "venue_rules": order.venue_rules,
            }
            entries.append((order, [Said("OrderRouted", payload, ACTOR)]))
        record_all(entries, at=at, changed=["session_group", "venue_rules"])
