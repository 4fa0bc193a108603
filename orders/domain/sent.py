"""What we send, as the pure core knows it: a request reduced to what may ever decide something."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from orders.domain.state import RequestFact

CANCEL = "cancel"


def sent_fact(*, kind: str, cl_ord_id: str, orig_cl_ord_id: str | None, payload: Mapping[str, Any]) -> RequestFact:
    """The fact of a request that was handed over; ``payload`` is its whole message (decimals as text)."""
    if kind == CANCEL:
        return RequestFact(CANCEL, cl_ord_id, orig_cl_ord_id)
    return RequestFact(
        kind=kind,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=orig_cl_ord_id,
        order_qty=Decimal(payload["order_qty"]),
        price=_number(payload.get("price")),
        stop_px=_number(payload.get("stop_px")),
        time_in_force=payload.get("time_in_force"),
    )


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
