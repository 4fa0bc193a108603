"""Demo corporate actions: one split and one dividend that are announced and wait to be looked at."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from authorisation.domain.principal import Principal
from refdata.domain.action_terms import ActionKind, ActionTerms, Fractions
from refdata.models import CorporateAction
from refdata.services.announce_action import announce_action

SOURCE = "demo agent"
DAYS_AHEAD = 7


def seed_actions(*, actor: Principal, at: datetime) -> int:
    """Announce those that are not there yet; their ex dates lie a week ahead. Returns how many."""
    ex_date = at.date() + timedelta(days=DAYS_AHEAD)
    wanted = {"MSFT": _split(ex_date), "VOD.L": _dividend(ex_date)}
    made = 0
    for symbol, terms in wanted.items():
        reference = f"{symbol} {terms.kind.value}"
        if CorporateAction.objects.filter(source=SOURCE, reference=reference).exists():
            continue
        announce_action(
            actor=actor, at=at, symbol=symbol, terms=terms, source=SOURCE, reference=reference, reason="demo desk"
        )
        made += 1
    return made


def _split(ex_date: date) -> ActionTerms:
    return ActionTerms(
        ActionKind.SPLIT,
        ex_date,
        ratio_new=Decimal(3),
        ratio_old=Decimal(2),
        currency="USD",
        fractions=Fractions.CASH,
        fraction_px=Decimal("280"),
    )


def _dividend(ex_date: date) -> ActionTerms:
    return ActionTerms(
        ActionKind.CASH_DIVIDEND,
        ex_date,
        record_date=ex_date + timedelta(days=1),
        pay_date=ex_date + timedelta(days=28),
        amount=Decimal("0.0225"),
        currency="GBP",
    )
