"""What an exception offers about what lies in suspense, and why it is not this actor's to ask."""

from __future__ import annotations

from typing import Any

from authorisation.domain.principal import ENTER_ORDER, Principal
from kernel.errors import NotPermitted
from kernel.ids import new_id
from operations.models import ExceptionItem
from orders.models import Order
from orders.permissions import require_trading

OVERFILL, UNKNOWN_ORDER = "OVERFILL", "UNKNOWN_ORDER"


def suspense_of(item: ExceptionItem, actor: Principal) -> dict[str, Any]:
    """What the page offers on an exception: which form, and why it is not this actor's to ask."""
    if not item.is_open or item.kind not in (OVERFILL, UNKNOWN_ORDER):
        return {}
    return {"in_suspense": item.kind, "why_not_asking": _why_not(item, actor), "key": str(new_id())}


def _why_not(item: ExceptionItem, actor: Principal) -> str:
    if ENTER_ORDER not in actor.rights:
        return "Your role may not enter orders."
    if item.order_id is None:
        return ""
    order = Order.objects.select_related("account").get(id=item.order_id)
    try:
        require_trading(actor, desk_id=order.desk_id, group_id=order.account.group_id)
    except NotPermitted as error:
        return error.sentence
    return ""
