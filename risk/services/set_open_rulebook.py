"""A rulebook that asks nothing: for houses where orders are played (scenarios, simulation, tests), never for a live one."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from kernel.errors import Refused
from risk.models import ConductPolicy, Mandate, Rulebook

ASKS_NOTHING: dict[str, Any] = {
    "duplicate_window_s": 0,
    "self_trade_account": "pass",
    "self_trade_client": "pass",
    "self_trade_firm": "pass",
    "volume_warn": None,
    "volume_hard": None,
    "volume_unknown": "pass",
    "spread_warn": None,
    "depth_warn": None,
    "book_unknown": "pass",
    "basket_orders": 100_000,
    "basket_notional": dict.fromkeys(("GBP", "EUR", "USD", "AUD"), "1000000000000"),
    "basket_ratio": None,
}


def set_open_rulebook(*, owner: str, **marks: Any) -> None:
    """Everything may be traded and no mark of conduct is set, except ``marks``. Raises Refused in a live house."""
    if settings.MODE == "live":
        raise Refused("PLAYED_RULEBOOK_IN_LIVE", "A live house keeps the rulebook that compliance laid down.")
    Rulebook.objects.get_or_create(id=1, defaults={"version": 0})
    Mandate.objects.get_or_create(scope="firm", scope_id="", defaults={"short_allowed": True, "owner": owner})
    ConductPolicy.objects.update_or_create(id=1, defaults=ASKS_NOTHING | {"owner": owner} | marks)
