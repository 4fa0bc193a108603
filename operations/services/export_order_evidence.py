"""Take the evidence of one order out of the house: its stream, what people decided about it, what was anomalous, its messages.

An operator's command, run where the key is; whoever may run it may see every order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from authorisation.models import AuthorisationRequest
from journal.services.export_evidence import EvidenceMade, export_streams
from kernel.canonical import jsonable
from kernel.errors import NotFound
from operations.models import ExceptionItem
from orders.models import Order, OrderRequest
from refdata.selectors.prices import find_ticks
from risk.domain.conduct import FOR_COMPLIANCE_ALONE
from venues.selectors import iterate_raw_messages


def export_order_evidence(
    *,
    directory: Path,
    name: str,
    actor: str,
    at: datetime,
    build: str,
    places: Sequence[str] | None = None,
) -> EvidenceMade:
    """Export the order with this reference or id. Raises NotFound ORDER_UNKNOWN, FileExistsError."""
    order = _find(name)
    requests = list(order.requests.order_by("seq"))
    decided = AuthorisationRequest.objects.filter(subject_id__in=[str(request.pk) for request in requests])
    raised = ExceptionItem.objects.filter(order_id=order.pk).exclude(kind__in=FOR_COMPLIANCE_ALONE)
    own = f"order:{order.pk}"
    streams = [
        own,
        *(f"authorisation:{pk}" for pk in decided.order_by("id").values_list("pk", flat=True)),
        *(f"anomaly:{key}" for key in raised.order_by("id").values_list("dedupe_key", flat=True)),
    ]
    return export_streams(
        directory=directory,
        streams=streams,
        whole=streams,
        scope={"kind": "order", "order_id": str(order.pk), "ref": order.ref},
        messages=iterate_raw_messages(
            cl_ord_ids=[request.cl_ord_id for request in requests],
            venue_order_ids=[order.venue_order_id] if order.venue_order_id else [],
        ),
        prices=prices_seen(requests),
        actor=actor,
        at=at,
        build=build,
        places=places,
    )


def prices_seen(requests: Sequence[OrderRequest]) -> list[dict[str, Any]]:
    """The stored ticks that the answers of the checks name, oldest first; those beyond retention are not there."""
    named = {
        UUID(answer["facts"]["tick"])
        for request in requests
        for answer in request.checks
        if (answer.get("facts") or {}).get("tick")
    }
    return [jsonable(asdict(tick)) for _, tick in sorted(find_ticks(named).items())]


def _find(name: str) -> Order:
    try:
        order = Order.objects.filter(pk=UUID(name)).first()
    except ValueError:
        order = Order.objects.filter(ref=name.upper()).first()
    if order is None:
        raise NotFound("ORDER_UNKNOWN", f"There is no order {name}.")
    return order
