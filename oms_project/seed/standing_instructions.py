"""Demo standing instructions: every account settles each currency at one custodian of that market."""

from __future__ import annotations

from datetime import date, datetime

from accounts.models import CashBalance
from allocations.domain.standing import StandingTerms
from allocations.models import StandingInstruction
from allocations.services.set_standing_instructions import Setting, set_standing_instructions
from authorisation.domain.principal import Principal

FROM = date(2026, 1, 1)
PLACES = {
    "GBP": ("CRSTGB22", "HARBGB2L"),
    "EUR": ("DAKVDEFF", "HARBDEFF"),
    "USD": ("DTCYUS33", "HARBUS33"),
    "AUD": ("CAETAU21", "HARBAU2S"),
}
"""Depository, and a custodian that does not exist."""


def seed_standing_instructions(*, actor: Principal, at: datetime) -> int:
    """For balances without any; returns how many were set."""
    known = set(StandingInstruction.objects.values_list("account_id", "currency"))
    found = CashBalance.objects.filter(currency__in=PLACES).order_by("account__code", "currency")
    settings = [
        Setting(
            account_id,
            StandingTerms("", currency, *PLACES[currency], f"{code}-{currency}-S", f"{code}-{currency}-C", FROM),
        )
        for account_id, code, currency in found.values_list("account_id", "account__code", "currency")
        if (account_id, currency) not in known
    ]
    if settings:
        set_standing_instructions(actor=actor, at=at, settings=settings)
    return len(settings)
