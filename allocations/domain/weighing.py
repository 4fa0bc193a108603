"""The lines of a plan with what each costs and whether its account may take it: what a preview shows. Pure.

Charges are those the account's own schedules say, nobody pays what the block was charged; whoever books computes the same from the same
facts. Ten thousand accounts have few classes and sizes of shares: what follows from those is computed once (:class:`Sized`), the rest is
columns in the order of the plan (ADR 0057).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from itertools import repeat
from operator import ne
from typing import NamedTuple
from uuid import UUID

from accounts.domain.fee_book import Selected
from accounts.domain.fees import Charge
from allocations.domain.account_checks import FactColumns, Have, LineCheck, all_checks
from allocations.domain.allocating import Plan, PlanLine
from allocations.domain.block import from_units
from allocations.domain.charging import FREE, Biller, Costs, Earlier
from kernel.columns import looked_up, rows_of
from kernel.fix import Side
from kernel.numbers import ZERO


class Sized(NamedTuple):
    """What every share of one size in accounts of one class is: ``fees`` is the sum of the charges (a cost is positive), ``net`` =
    gross - fees."""

    qty: Decimal
    gross: Decimal
    costs: Costs
    net: Decimal


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


@dataclass(frozen=True)
class Weighed:
    """The lines of ``plan`` in its order, as columns: what accounts are called, what their shares are and cost (shared by equals), and
    ``said`` as of a :class:`WeighedLine`. ``checks`` by place: who is not there passes."""

    plan: Plan
    accounts: Sequence[str]
    sized: Sequence[Sized]
    checks: Mapping[int, tuple[LineCheck, ...]]
    said: Sequence[Decimal] | None = None

    @cached_property
    def lines(self) -> list[WeighedLine]:
        """Line by line."""
        charges = [one.costs.charges for one in self.sized]
        fees, nets = [one.costs.fees for one in self.sized], [one.net for one in self.sized]
        checks = [self.checks.get(place, ()) for place in range(len(self.sized))] if self.checks else repeat(())
        said = repeat(None) if self.said is None else self.said
        return rows_of(WeighedLine, self.accounts, self.plan.lines, charges, fees, nets, checks, said)

    @property
    def qty(self) -> Decimal:
        return from_units(sum(self.plan.allocation.units))

    @property
    def gross(self) -> Decimal:
        """Money of all lines without charges."""
        return sum(self.plan.gross, ZERO)

    @property
    def fees(self) -> Decimal:
        return sum([one.costs.fees for one in self.sized], ZERO)

    @property
    def differing(self) -> int:
        """How many lines get something else than was said."""
        if self.said is None:
            return 0
        return sum(map(ne, [one.qty for one in self.sized], self.said))


def weigh(
    plan: Plan,
    side: Side,
    accounts: Sequence[str],
    facts: FactColumns,
    selected: Mapping[str, Selected],
    earlier: Mapping[UUID, Earlier],
) -> Weighed:
    """Every line of the plan. ``accounts`` and ``facts`` in its order, ``selected`` by class."""
    sized = _sized(plan, facts.account_class, Biller(selected, plan.currency), earlier)
    checks = all_checks(side, [one.qty for one in sized], [one.net for one in sized], facts)
    return Weighed(plan, accounts, sized, checks)


def _sized(plan: Plan, classes: Sequence[str], biller: Biller, earlier: Mapping[UUID, Earlier]) -> list[Sized]:
    """Of each line. Who had a share of the same orders before pays for both together, and is like no other."""
    units, gross = plan.allocation.units, plan.gross
    money = dict(zip(units, gross, strict=True))
    by_class: dict[str, set[int]] = {}
    if len(set(classes)) == 1:
        by_class[classes[0]] = set(units)
    for account_class, size in zip(classes, units, strict=True) if not by_class else ():
        by_class.setdefault(account_class, set()).add(size)
    known = {
        name: {size: _of(qty, paid, costs) for size, (qty, paid), costs in _billed(biller, name, sizes, money)}
        for name, sizes in by_class.items()
    }
    if len(known) == 1:
        found = looked_up(known[classes[0]], units)
    else:
        found = [known[name][size] for name, size in zip(classes, units, strict=True)]
    for place, account_id in enumerate(plan.allocation.account_ids) if earlier else ():
        if account_id in earlier and units[place]:
            qty, paid = found[place].qty, gross[place]
            found[place] = _of(qty, paid, biller.costs(classes[place], qty, paid, earlier[account_id]))
    return found


def _billed(
    biller: Biller, account_class: str, sizes: Iterable[int], money: Mapping[int, Decimal]
) -> Iterator[tuple[int, tuple[Decimal, Decimal], Costs]]:
    """Sizes with their units and money, and what they cost; nothing costs nothing."""
    having = [size for size in sizes if size]
    shares = [(from_units(size), money[size]) for size in having]
    yield from zip(having, shares, biller.work_out(account_class, shares), strict=True)
    if 0 in money:
        yield 0, (ZERO, money[0]), FREE


def _of(qty: Decimal, gross: Decimal, costs: Costs) -> Sized:
    return Sized(qty, gross, costs, gross - costs.fees)


def left_out(plan: Plan, said: Mapping[UUID, Decimal]) -> dict[UUID, Decimal]:
    """Accounts that have something by ``said`` and are no line of the plan."""
    here = set(plan.allocation.account_ids)
    return {account_id: qty for account_id, qty in said.items() if qty and account_id not in here}


def taken_back(
    facts: FactColumns, account_ids: Sequence[UUID], standing: Iterable[tuple[UUID, Standing]], side: Side
) -> FactColumns:
    """What accounts have once lines of theirs that stand are undone."""
    places = {account_id: place for place, account_id in enumerate(account_ids)}
    cash, stock = list(facts.means.cash), list(facts.means.stock)
    for account_id, (qty, net) in standing:
        place = places.get(account_id)
        if place is not None:
            cash[place] -= net
            stock[place] += -qty if side.is_buy else qty
    return replace(facts, means=Have(cash, stock, facts.means.short))
