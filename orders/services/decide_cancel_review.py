"""A second person's word on a cancel that went out: in order, or not. Nothing of it touches the order."""

from __future__ import annotations

from authorisation.services.decide_request import Applied, Asking, Subject
from kernel.errors import NotFound
from orders.models import Order
from orders.permissions import can_see
from orders.services._cancel_review import KIND, tell


def _load(asking: Asking) -> None:
    order = Order.objects.filter(id=asking.payload["order_id"]).values_list("desk_id", "account__group_id").first()
    if order is None or not can_see(asking.actor, desk_id=order[0], group_id=order[1]):
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")


def _apply(asking: Asking, case: None) -> Applied:
    return Applied(f"The cancel of {asking.payload['ref']} was in order.")


def _decline(asking: Asking, case: None) -> str:
    ref = asking.payload["ref"]
    sentence = (
        f"{asking.actor.username} finds the cancel of {ref} by {asking.payload['canceled_by']} wrong: {asking.reason}"
    )
    tell(asking.facts.id, ref=ref, kind="CANCEL_QUESTIONED", sentence=sentence, actor=asking.actor.actor, at=asking.at)
    return f"The cancel of {ref} is questioned; it stays as it is at the venue."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_cancel_review = _SUBJECT.decide
"""Approve (it was in order) or decline (it was not, and somebody is told).

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
