"""A second person's word on cash brought in by hand: approved, it is booked at once as a deposit that names both people."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from accounts.selectors import find_account_by_code
from accounts.services.ask_cash_booking import KIND
from accounts.services.deposit import Deposit, deposit
from authorisation.domain.principal import process_principal
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from kernel.errors import NotFound


def _load(asking: Asking) -> str:
    """The state of the account."""
    account = find_account_by_code(asking.actor, asking.payload["account"])
    if account is None:
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return account.state


def _apply(asking: Asking, state: str) -> Applied:
    asked = asking.payload
    if state == "closed":
        raise NotApplied(f"Account {asked['account']} is closed.")
    said = {
        "authorisation_id": str(asking.facts.id),
        "maker_id": asking.facts.maker_id,
        "checker_id": asking.actor.user_id,
        "purpose": asked["purpose"],
    }
    deposit(
        actor=replace(process_principal("cash_booking"), on_behalf_of=asking.actor.actor),
        at=asking.at,
        business_date=asking.at.date(),
        deposits=[Deposit(UUID(asked["account_id"]), Decimal(asked["amount"]), currency=asked["currency"])],
        said=said,
    )
    return Applied(f"{asked['amount']} {asked['currency']} are booked into {asked['account']}.")


def _decline(asking: Asking, state: str) -> str:
    return "Nothing is booked."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_cash_booking = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
