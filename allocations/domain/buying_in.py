"""The steps of a buy-in: what each needs said, and whether it may be taken. Pure.

*initiate*: so many units are bought in, by whom. *execute*: bought, for how much. *compensate*: cash is agreed in place of stock.
*withdraw*: called off. What it cost beyond what was instructed for the same units is the difference that somebody bears: it is
booked by the same two people's word, to the account that failed to deliver or to the house (*bearer*).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from allocations.domain import transitions as moves
from kernel.errors import Invalid
from kernel.numbers import ZERO, parse_decimal, round_money

SUBJECT = "buy_in"
INITIATE, EXECUTE, COMPENSATE, WITHDRAW = "initiate", "execute", "compensate", "withdraw"
STEPS = (INITIATE, EXECUTE, COMPENSATE, WITHDRAW)
TARGETS = {
    INITIATE: moves.INITIATED, EXECUTE: moves.EXECUTED, COMPENSATE: moves.COMPENSATED, WITHDRAW: moves.WITHDRAWN
}  # fmt: skip
NEEDS = {
    INITIATE: ("qty", "agent"),
    EXECUTE: ("qty", "amount", "reference", "bearer"),
    COMPENSATE: ("amount", "reference", "bearer"),
    WITHDRAW: (),
}
HOUSE, ACCOUNT = "house", "account"
BEARERS = (HOUSE, ACCOUNT)
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class BuyInStep:
    """A step as somebody entered it; what it does not need is empty or zero."""

    step: str
    qty: Decimal = ZERO
    amount: Decimal = ZERO
    agent: str = ""
    reference: str = ""
    bearer: str = ""


@dataclass(frozen=True, slots=True)
class Failing:
    """The instruction: ``open_qty`` of ``qty`` units for ``amount`` failed since ``failing``; ``bought`` is the open buy-in's units."""

    qty: Decimal
    amount: Decimal
    open_qty: Decimal
    currency: str
    failing: bool
    bought: Decimal | None = None


def read_step(said: Mapping[str, Any], *, currency: str) -> BuyInStep:
    """Raises Invalid BUY_IN_INVALID, by field."""
    step = str(said.get("step", ""))
    if step not in STEPS:
        raise Invalid("BUY_IN_INVALID", "There is no such step.", {"step": [f"One of {', '.join(STEPS)}."]})
    wrong: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for name in NEEDS[step]:
        text = str(said.get(name, "")).strip()
        if name in ("qty", "amount"):
            value = parse_decimal(text)
            exact = value is not None and (name == "qty" or round_money(value, currency) == value)
            if value is None or value <= 0 or not exact:
                wrong[name] = [
                    "Units above zero." if name == "qty" else f"Money above zero, to the minor unit of {currency}."
                ]
            values[name] = value
        elif name == "bearer":
            if text not in BEARERS:
                wrong[name] = ["Who bears what it cost: the house or the account."]
            values[name] = text
        else:
            if not text or len(text) > _LONGEST:
                wrong[name] = [f"Say it in 1 to {_LONGEST} characters."]
            values[name] = text
    if wrong:
        raise Invalid("BUY_IN_INVALID", next(iter(wrong.values()))[0], wrong)
    return BuyInStep(step, **values)


def obstacle(step: BuyInStep, now: Failing) -> str:
    """Why the step cannot be taken as things are; empty where it can."""
    if step.step == INITIATE:
        if not now.failing or not now.open_qty:
            return "Only what fails to be delivered is bought in."
        if now.bought is not None:
            return "A buy-in of it is open already."
        return "" if step.qty <= now.open_qty else f"Only {now.open_qty:f} units are open."
    if now.bought is None:
        return "No buy-in of it is open."
    return "" if step.qty <= now.bought else f"Only {now.bought:f} units were to be bought in."


def difference(step: BuyInStep, now: Failing) -> Decimal:
    """What it cost beyond what was instructed for the same units; of compensation all of it."""
    if step.step == COMPENSATE:
        return step.amount
    if step.step != EXECUTE:
        return ZERO
    return step.amount - round_money(now.amount * step.qty / now.qty, now.currency)
