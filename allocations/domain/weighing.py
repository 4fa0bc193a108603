"""The lines of a plan with what each costs and whether its account may take it: what a preview shows. Pure.

Charges are those the account's own schedules say, nobody pays what the block was charged; whoever books computes the same from the same
facts. Shares of equal size in accounts of equal class cost the same, so they are computed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from accounts.domain.fee_book import Selected
from accounts.domain.fees import Charge
from allocations.domain.account_checks import AccountFacts, LineCheck, checks_of
from allocations.domain.allocating import Plan, PlanLine
from allocations.domain.charging import FREE, Biller, Earlier
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
    biller = Biller(selected, plan.currency)
    found = []
    for line in plan.lines:
        account_id, qty, gross = line.account_id, line.qty, line.gross
        code, account_class = accounts[account_id]
        costs = biller.costs(account_class, qty, gross, earlier.get(account_id)) if qty else FREE
        net = gross - costs.fees
        checks = checks_of(side, qty, net, facts[account_id])
        wanted = None if said is None else said.get(account_id, ZERO)
        found.append(WeighedLine(code, line, costs.charges, costs.fees, net, checks, wanted))
    return found


def left_out(plan: Plan, said: Mapping[UUID, Decimal] | None) -> dict[UUID, Decimal]:
    """Accounts that have something by ``said`` and are no line of the plan."""
    if said is None:
        return {}
    here = {line.account_id for line in plan.lines}
    return {account_id: qty for account_id, qty in said.items() if qty and account_id not in here}


def taken_back(facts: AccountFacts, standing: Standing, side: Side) -> AccountFacts:
    """What the account has once its lines that stand are undone."""
    stock = facts.stock - standing.qty if side.is_buy else facts.stock + standing.qty
    return facts._replace(cash=facts.cash - standing.net, stock=stock)
