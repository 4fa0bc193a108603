"""The lines of a plan with what each costs and whether its account may take it: what a preview shows. Pure.

Charges are those the account's own schedules say, nobody pays what the block was charged; whoever books computes the same from the same
facts. Shares of equal size in accounts of equal class cost the same, so they are computed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from accounts.domain.fee_book import Selected
from accounts.domain.fees import Charge
from allocations.domain.account_checks import AccountFacts, LineCheck, checks_of
from allocations.domain.allocating import Plan, PlanLine
from allocations.domain.charging import Earlier, charges_of
from kernel.fix import Side
from kernel.numbers import ZERO


class Who(NamedTuple):
    """An account of a line, by the class it is charged by."""

    code: str
    account_class: str


class WeighedLine(NamedTuple):
    """A share with its costs: ``fees`` is the sum of ``charges`` (a cost is positive), ``net`` = gross - fees.

    ``checks``: why it would be parked. ``said``: what the account has by lines that stand, or would have by what was said beforehand;
    None: neither is there.
    """

    account: str
    line: PlanLine
    charges: tuple[Charge, ...]
    fees: Decimal
    net: Decimal
    checks: tuple[LineCheck, ...]
    said: Decimal | None = None

    @property
    def difference(self) -> Decimal:
        """What it gets more (+) or less (-) than that."""
        return ZERO if self.said is None else self.line.qty - self.said


class Standing(NamedTuple):
    """What lines of the block that stand gave an account: undone before it is allocated again."""

    qty: Decimal
    net: Decimal


def weigh(
    plan: Plan,
    side: Side,
    accounts: Mapping[UUID, Who],
    facts: Mapping[UUID, AccountFacts],
    selected: Mapping[str, Selected],
    earlier: Mapping[UUID, Earlier],
    said: Mapping[UUID, Decimal] | None = None,
) -> list[WeighedLine]:
    """Every line of the plan, in its order. ``selected`` by class; who is missing in ``said`` was to get nothing."""
    known: dict[tuple[str, Decimal], tuple[tuple[Charge, ...], Decimal]] = {}
    found = []
    for line in plan.lines:
        who = accounts[line.account_id]
        before = earlier.get(line.account_id)
        costs = None if before else known.get((who.account_class, line.qty))
        if costs is None:
            costs = _costs(selected[who.account_class], line, plan.currency, before)
            if before is None:
                known[who.account_class, line.qty] = costs
        net = line.gross - costs[1]
        checks = checks_of(side, line.qty, net, facts[line.account_id])
        wanted = None if said is None else said.get(line.account_id, ZERO)
        found.append(WeighedLine(who.code, line, *costs, net, checks, wanted))
    return found


def _costs(
    selected: Selected, line: PlanLine, currency: str, earlier: Earlier | None
) -> tuple[tuple[Charge, ...], Decimal]:
    if not line.qty:
        return (), ZERO
    owed = charges_of(selected, qty=line.qty, value=abs(line.gross), currency=currency, earlier=earlier)
    return owed, sum((charge.amount for charge in owed), ZERO)


def left_out(plan: Plan, said: Mapping[UUID, Decimal] | None) -> dict[UUID, Decimal]:
    """Accounts that have something by ``said`` and are no line of the plan."""
    if said is None:
        return {}
    here = {line.account_id for line in plan.lines}
    return {account_id: qty for account_id, qty in said.items() if qty and account_id not in here}


def taken_back(facts: AccountFacts, standing: Standing, side: Side) -> AccountFacts:
    """What the account has once its lines that stand are undone."""
    stock = facts.stock - standing.qty if side.is_buy else facts.stock + standing.qty
    return replace(facts, cash=facts.cash - standing.net, stock=stock)
