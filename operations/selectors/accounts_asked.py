"""What a change of an account asked of a second person would do: another state, cash booked by hand; and a cancel to look at."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.models import TradingAccount
from accounts.selectors.books import get_cash, what_closing_meets
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from operations.domain.effect import Effect, EffectLine
from orders.models import Order


def describe_cash_booking(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The account's cash of now, and with the booking."""
    asked = facts.payload
    amount, currency = Decimal(asked["amount"]), asked["currency"]
    view = get_cash(account_id=UUID(asked["account_id"]), currency=currency, today=at.date())
    shown = f"{amount:,.2f} {currency}"

    def line(label: str, now: Decimal, note: str = "") -> EffectLine:
        return EffectLine(label, _text(now, currency), _text(now + amount, currency), note)

    return Effect(
        headline=f"{shown} are booked into account {asked['account']}: {asked['purpose']}",
        button=f"book {shown} into {asked['account']}",
        lines=(line("Settled", view.settled), line("To trade", view.to_trade), line("Withdrawable", view.withdrawable)),
        warnings=("It can be traded with and paid out at once; a file that tells of it later books it again.",),
    )


def describe_account_state(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The state of now beside the one asked for, and what is open under it."""
    asked = facts.payload
    account = TradingAccount.objects.get(pk=asked["account_id"])
    then = TradingAccount.State(asked["state"])
    working = Order.objects.filter(account_id=account.pk, is_open=True).count()
    warnings = []
    if account.version != facts.subject_version:
        warnings.append("The account was changed since this was asked.")
    if then != TradingAccount.State.ACTIVE and working:
        warnings.append(f"{working:,} open orders stay at the venue: cancel them by the kill switch of the account.")
    if then == TradingAccount.State.CLOSED:
        left = what_closing_meets(account.id)
        warnings.append(f"It cannot be closed: {left}." if left else "A closed account is never opened again.")
    return Effect(
        headline=f"Account {account.code} becomes {then.label.lower()}: {asked['reason']}",
        button=f"make {account.code} {then.label.lower()}",
        lines=(
            EffectLine("State", TradingAccount.State(account.state).label, then.label),
            EffectLine("Open orders", f"{working:,}", f"{working:,}", "new ones are judged by the new state"),
        ),
        warnings=tuple(warnings),
    )


def describe_cancel_review(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """What became of the order since: the review changes nothing of it."""
    asked = facts.payload
    order = Order.objects.get(pk=asked["order_id"])
    shown = f"{order.leaves_qty:,f}".rstrip("0").rstrip(".") if order.leaves_qty else "0"
    return Effect(
        headline=f"{asked['canceled_by']} canceled {order.ref}: {asked['reason'] or 'no reason given'}",
        button=f"the cancel of {order.ref} was in order",
        lines=(EffectLine("Working at the venue", shown, shown, "the review decides nothing on the wire"),),
        warnings=(),
    )


def _text(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}".replace("-", "\u2212")
