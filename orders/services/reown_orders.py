"""Give the open orders of somebody who was cut off to a named successor, at once.

Working, waiting and staged orders alike; nothing of them changes but whose they are. Only what the successor could have
entered goes to the successor: desk and account group must both be granted. What is left over stays with the one who left, is
returned, and is an anomaly until somebody takes it (``watch_owners``).

Slices of one transaction each, in which the successor cannot be cut off: users, orders by ascending id, usage. Said again it
moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import ENTER_ORDER, Principal
from authorisation.locks import hold_user
from authorisation.models import User
from authorisation.permissions import require_administrator
from authorisation.selectors import get_principal
from kernel.errors import Conflict, Invalid, NotFound
from orders.locks import lock_orders
from orders.permissions import may_own
from orders.selectors.owned import Owned, find_owned
from orders.services._moving import Said, record_all
from risk.services.move_usage import move_usage

SLICE = 200
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Reowned:
    """How many orders went to the successor, and how many stay because the successor may not trade them."""

    username: str
    successor: str
    moved: int
    left: int


def reown_orders(*, actor: Principal, at: datetime, user_id: int, successor_id: int, reason: str) -> Reowned:
    """Raises NotPermitted RIGHT_MISSING, Invalid REASON_INVALID, NotFound USER_UNKNOWN, Conflict (USER_STILL_ACTIVE,
    SUCCESSOR_UNFIT, SUCCESSOR_MAY_NOT_TRADE). Slices that were done before a refusal stay done."""
    require_administrator(actor, confirmed=False)
    if not reason.strip() or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    leaver = User.objects.filter(pk=user_id).first()
    if leaver is None:
        raise NotFound("USER_UNKNOWN", "There is no such person.")
    if leaver.is_active:
        raise Conflict(
            "USER_STILL_ACTIVE", f"{leaver.username} is not cut off: orders are taken from nobody who is there."
        )
    successor = require_successor(user_id=user_id, successor_id=successor_id)
    owned = find_owned(user_id)
    fit = [one for one in owned if may_own(successor, desk_id=one.desk_id, group_id=one.group_id)]
    if owned and not fit:
        raise Conflict(
            "SUCCESSOR_MAY_NOT_TRADE",
            f"{successor.username} may trade none of the {len(owned):,} open orders of {leaver.username}.",
        )
    moved = 0
    for start in range(0, len(fit), SLICE):
        moved += _move(fit[start : start + SLICE], leaver, successor_id, reason.strip(), actor, at)
    return Reowned(leaver.username, successor.username, moved, len(find_owned(user_id)))


def require_successor(*, user_id: int, successor_id: int) -> Principal:
    """The successor with the rights of now. Raises NotFound USER_UNKNOWN, Conflict SUCCESSOR_UNFIT."""
    user = User.objects.filter(pk=successor_id).first()
    if user is None:
        raise NotFound("USER_UNKNOWN", "There is no such person.")
    return _fit(user, user_id)


def _fit(user: User, leaver_id: int) -> Principal:
    principal = get_principal(user)
    if not user.is_active or user.pk == leaver_id or principal.is_service or ENTER_ORDER not in principal.rights:
        raise Conflict(
            "SUCCESSOR_UNFIT",
            f"{user.username} cannot take over: a successor is another, active person who enters orders.",
        )
    return principal


def _move(owned: Sequence[Owned], leaver: User, successor_id: int, reason: str, actor: Principal, at: datetime) -> int:
    """One slice, on the successor's rights of now. Orders that are somebody else's by now are left alone."""
    with transaction.atomic():
        user = hold_user(successor_id)
        successor = _fit(user, leaver.pk)
        fit = [one.order_id for one in owned if may_own(successor, desk_id=one.desk_id, group_id=one.group_id)]
        orders = [order for order in lock_orders(fit).values() if order.owner_id == leaver.pk]
        entries = []
        for order in orders:
            order.owner_id = user.pk
            told = {
                "order_id": str(order.id),
                "ref": order.ref,
                "owner_id": user.pk,
                "owner": user.username,
                "owner_before_id": leaver.pk,
                "owner_before": leaver.username,
                "reason": reason,
            }
            entries.append((order, [Said("OrderReowned", told, actor.actor, on_behalf_of=actor.on_behalf_of)]))
        record_all(entries, at=at, changed=["owner_id"])
        move_usage(order_ids=[order.id for order in orders], dealer_id=user.pk)
    return len(orders)
