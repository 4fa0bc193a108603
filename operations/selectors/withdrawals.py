"""What paying out would do, on the figures of now, and what waits for a second person."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.selectors.books import get_cash
from accounts.services.decide_withdrawal import obstacle_of
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from kernel.numbers import Money
from operations.domain.effect import Effect, EffectLine


def describe_withdrawal(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The account's cash now and after. The hold is given back by the booking, so what is held counts on both sides."""
    asked = facts.payload
    amount, currency = Decimal(asked["amount"]), asked["currency"]
    view = get_cash(account_id=UUID(asked["account_id"]), currency=currency, today=at.date())
    obstacle = obstacle_of(asked, at=at)
    shown = f"{amount:,.2f} {currency}"
    return Effect(
        headline=f"{shown} leave account {asked['account']}: {asked['purpose']}",
        button=f"pay {shown} out of {asked['account']}",
        lines=(
            EffectLine("Settled", _text(view.settled, currency), _text(view.settled - amount, currency), drifts=True),
            EffectLine(
                "Held back", _text(view.reserved, currency), _text(view.reserved - amount, currency), "its own hold is let go",
                drifts=True,
            ),
            EffectLine(
                "To trade", _text(view.to_trade, currency), _text(view.to_trade, currency), "held back already", drifts=True
            ),
            EffectLine(
                "Still withdrawable", _text(view.withdrawable, currency), _text(view.withdrawable, currency),
                "settled less held back less debts", drifts=True,
            ),
        ),
        obstacle=obstacle,
        irreversible="What was paid out does not come back by itself.",
        value=Money(amount, currency),
    )  # fmt: skip


def _text(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}".replace("-", "\u2212")
