"""What a replace would use of the limits were it sent now: the facts of ``replace_order``, and nothing written or locked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from accounts.selectors import read_money
from authorisation.domain.principal import Principal
from orders.domain.amending import changed_terms
from orders.domain.assembling import terms_of_payload
from orders.domain.shape import replace_faults, require_shape
from orders.domain.terms import ReplaceTerms
from orders.models import Order
from orders.permissions import require_entry
from orders.services._amending import replace_basis, wanted_message
from orders.services._asking import require_order
from orders.services._facts import facts_of_order
from risk.domain.checks.closeness import Closeness, all_closeness


def preview_replace(*, actor: Principal, at: datetime, order_id: UUID, terms: ReplaceTerms) -> tuple[Closeness, ...]:
    """Every mark on usage and position that applies, the closest first.

    Raises what :func:`replace_order` would raise before the checks: NotPermitted, NotFound, Invalid, Conflict.
    """
    require_entry(actor)
    require_shape(replace_faults(terms))
    require_order(actor, order_id)
    order = Order.objects.get(id=order_id)
    requests = list(order.requests.order_by("seq"))
    basis = replace_basis(order, requests)
    message = wanted_message(basis, terms)
    facts = facts_of_order(
        order,
        requests,
        maker=actor,
        at=at,
        terms=terms_of_payload(message),
        money=read_money([order.account_id])[order.account_id],
        replacing=True,
        changed=changed_terms(basis, message),
        locked=False,
    )
    return all_closeness(facts)
