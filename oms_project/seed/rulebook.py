"""The demo's rulebook: a mandate for each client of the demo, collars of funds, and two rules to look at.

Written once where nothing of the kind exists; from then on it is changed by requests alone.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import Client
from kernel.ids import new_id
from risk.models import Collar, Mandate, Rule, Scope

OWNER = "c.young"
MARKETS = ["XASX", "XETR", "XLON", "XNAS", "XNYS", "XPAR"]
COLLARS = (("etf", "continuous", "0.03", "0.10"), ("etf", "", "0.05", "0.15"))
CONTRACT = {"asset_classes": ["equity", "etf"], "currencies": ["AUD", "EUR", "GBP", "USD"], "short_allowed": True}
RULES: tuple[dict[str, Any], ...] = (
    {
        "code": "LARGE_SHARE_OF_DAY",
        "title": "Orders of more than a twentieth of a usual day",
        "conditions": [{"fact": "volume_share", "op": "above", "values": ["5"]}],
        "verdict": "authorise",
        "sentence": "The order is more than 5 % of a usual day in this line; a second person looks at it.",
        "source": "Best execution policy, section 6",
        "reason": "A large order moves the price against the client",
    },
    {
        "code": "SHORT_ON_THE_TICKET",
        "title": "Short sales are entered by people",
        "conditions": [
            {"fact": "side", "op": "in", "values": ["sell_short", "sell_short_exempt"]},
            {"fact": "source", "op": "not in", "values": ["ticket"]},
        ],
        "verdict": "refuse",
        "sentence": "Short sales are entered on the ticket, with the locate at hand.",
        "source": "Short selling procedure, section 2",
        "reason": "The locate is confirmed by a person",
    },
)


def seed_rulebook(*, at: datetime) -> int:
    """Add what is missing; returns how many entries were written."""
    made = 0
    for client_id in Client.objects.order_by("code").values_list("id", flat=True):
        mandate = {"markets": MARKETS, "owner": OWNER, **CONTRACT}
        made += Mandate.objects.get_or_create(scope=Scope.CLIENT, scope_id=str(client_id), defaults=mandate)[1]
    for asset_class, phase, warn, hard in COLLARS:
        marks = {"warn": Decimal(warn), "hard": Decimal(hard), "owner": OWNER}
        made += Collar.objects.get_or_create(asset_class=asset_class, phase=phase, defaults=marks)[1]
    for rule in RULES:
        rest = {"id": new_id(), "scope": Scope.FIRM, "owner": OWNER, "effective_from": at, **rule}
        made += Rule.objects.get_or_create(code=rule["code"], defaults=rest)[1]
    return made
