"""A cancel goes out at once; of somebody else's order, and of some size, a second person looks at it afterwards.

The review decides nothing on the wire. Whoever finds the cancel wrong says so, and it becomes a matter somebody owns; so
does one that nobody looked at in time.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.services.raise_request import raise_request
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from orders.models import Order, OrderRequest
from risk.models import OrderUsage

KIND = "cancel_review"
REVIEWED_FROM = Decimal(100_000)  # open value, in the currency of the order; one that is not known is reviewed


def ask_review(order: Order, request: OrderRequest, *, actor: Principal, at: datetime, reason: str) -> None:
    """Put a cancel that was just captured on the list of a second person, where it belongs there."""
    if actor.is_process or actor.user_id == order.owner_id:
        return
    share = OrderUsage.objects.filter(order_id=order.id).first()
    value = share.open_value if share is not None else None
    if value is not None and value < REVIEWED_FROM:
        return
    raise_request(
        actor=actor,
        at=at,
        kind=KIND,
        subject_type="cancel",
        subject_id=str(request.id),
        subject_version=order.version,
        payload={
            "order_id": str(order.id),
            "ref": order.ref,
            "request_id": str(request.id),
            "owner_id": order.owner_id,
            "canceled_by": actor.username,
            "reason": reason,
        },
        summary=f"look at the cancel of {order.ref} by {actor.username}: {reason or 'no reason given'}"[:500],
        desk_id=order.desk_id,
        group_id=order.account.group_id,
        value=value,
        currency=share.currency if share is not None else "",
        correlation_id=order.correlation_id,
    )


def tell(authorisation_id: UUID, *, ref: str, kind: str, sentence: str, actor: str, at: datetime) -> None:
    """Somebody must look: the cancel was found wrong, or nobody looked at it in time."""
    raise_anomaly(
        anomaly=Anomaly(
            kind=kind,
            severity=Severity.MEDIUM,
            subject_type="authorisation",
            subject_id=str(authorisation_id),
            sentence=sentence,
            dedupe_key=f"cancel-review:{authorisation_id}",
            evidence={"ref": ref},
        ),
        actor=actor,
        at=at,
    )
