"""What the doors that change a working order share: what the change builds on, and the whole message it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernel.errors import Conflict, Invalid
from orders.domain.amending import amended_message, message_faults
from orders.domain.lineage import is_open_request
from orders.domain.shape import require_shape
from orders.domain.staging import is_staged
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.services._asking import amend_basis, first_request, require_replaceable

FLYING = (OrderRequest.State.RELEASED, OrderRequest.State.HANDED_OVER, OrderRequest.State.UNKNOWN)


def replace_basis(order: Order, requests: Sequence[OrderRequest]) -> Mapping[str, Any]:
    """The message to amend; raises Conflict unless the order was sent and may be replaced."""
    require_replaceable(order)
    new = first_request(order, requests)
    if new.state in (OrderRequest.State.PENDING_AUTHORISATION, OrderRequest.State.RELEASED):
        raise Conflict("ORDER_NOT_SENT", f"{order.ref} has not been sent yet; cancel it and enter it again.")
    if any(r.kind == OrderRequest.Kind.CANCEL and r.state in FLYING for r in requests):
        raise Conflict("CANCEL_IN_FLIGHT", f"A cancel of {order.ref} is on its way.")
    if open_staged(requests) is not None:
        raise Conflict("REPLACE_STAGED", f"{order.ref} is about to be entered anew; wait for that, or cancel it.")
    return amend_basis(order, requests)


def wanted_message(basis: Mapping[str, Any], terms: ReplaceTerms) -> dict[str, Any]:
    """The whole message wanted. Raises Invalid when it could not be entered or changes nothing."""
    message = amended_message(basis, terms)
    require_shape(message_faults(message))
    if message == dict(basis):
        sentence = "The replace changes nothing."
        raise Invalid("REPLACE_CHANGES_NOTHING", sentence, {"order_qty": [sentence]})
    return message


def open_staged(requests: Sequence[OrderRequest]) -> OrderRequest | None:
    """The staged replace that waits for its order's end; there is one at most."""
    return next((r for r in requests if is_staged(r.payload) and is_open_request(r.state)), None)
