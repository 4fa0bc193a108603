"""What a DK (35=Q) says: which trades of a venue we do not know, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from kernel.numbers import ZERO, plain
from orders.domain.report import Report
from orders.domain.unknown import executions_of

QUANTITY_EXCEEDS = "C"  # DKReason (127): quantity exceeds order
NO_MATCHING_ORDER = "D"  # no matching order

Trade = tuple[str, Decimal, Decimal]
"""ExecID in force, quantity, price."""


def trades_of_reports(reports: Iterable[Report]) -> list[Trade]:
    """The live trades among the reports on an unknown order."""
    return [(one.versions[-1], one.qty, one.px) for one in executions_of(reports) if one.qty > ZERO]


def disowned_payload(
    *,
    about: str,
    subject_id: UUID,
    account_id: UUID | None,
    name: str,
    reason: str,
    text: str,
    side: str,
    order_qty: Decimal | None,
    instrument: Mapping[str, Any],
    trades: Sequence[Trade],
) -> dict[str, Any]:
    """Payload of TradesDisowned: all that venues needs to say it on the wire, or a person on the phone."""
    return {
        "about": about,
        "subject_id": str(subject_id),
        "account_id": str(account_id) if account_id is not None else None,
        "venue_order_id": name,
        "dk_reason": reason,
        "text": text,
        "message": {
            "symbol": instrument.get("symbol", ""),
            "mic": instrument.get("mic", ""),
            "isin": instrument.get("isin", ""),
            "side": side,
            "order_qty": plain(order_qty) if order_qty is not None else None,
        },
        "trades": [{"exec_id": exec_id, "last_qty": plain(qty), "last_px": plain(px)} for exec_id, qty, px in trades],
    }
