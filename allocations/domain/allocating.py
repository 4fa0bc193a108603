"""From shares to money: the plan of a block, which is what is shown, decided about and booked. Pure.

Every line is worth half-even (average price x quantity / divisor) to the minor unit of the currency; the average is the exact
quotient unless the rules say to how many places. What the executions were booked at, less all that, is the residual: it goes
by name to the firm's rounding account, never to whichever client comes last.

Invariants: quantities sum to the block and money, the residual included, to what its executions are booked at, to the minor
unit. Two lines of equal quantity have equal money. The digest of a plan names all of it: what was shown is what is booked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import compress
from typing import NamedTuple
from uuid import UUID

from allocations.domain.allocate import allocate
from allocations.domain.block import Block, from_units, half_even, round_fraction, to_units
from allocations.domain.lines import Allocation, Line, NotAllocated, Rules
from allocations.domain.words import Method
from kernel.columns import looked_up, rows_of
from kernel.numbers import PRICE_PLACES, ZERO, minor_unit, plain

AVG_PX_KEPT = Decimal("0.000000000001")
"""Places of the average price in the column; the quotient itself is the block's notional by its quantity."""


class PlanLine(NamedTuple):
    """What one account gets, and its money without charges, signed as the account sees it. ``exact``: before lots and minimums."""

    account_id: UUID
    qty: Decimal
    gross: Decimal
    exact: Decimal
    house: bool = False

    @property
    def rounding(self) -> Decimal:
        """What lots and minimum sizes gave it (+) or took from it (-)."""
        return self.qty - self.exact


@dataclass(frozen=True)
class Plan:
    """A block divided, in quantities and money: ``gross`` of each share of the allocation. Lines without a share stay in it with
    nothing."""

    allocation: Allocation
    gross: Sequence[Decimal]
    avg_px: Fraction
    residual: Decimal
    currency: str

    @cached_property
    def lines(self) -> tuple[PlanLine, ...]:
        """Its lines one by one."""
        shares = self.allocation
        qty, exact = map(from_units, shares.units), map(from_units, shares.exact)
        return tuple(rows_of(PlanLine, shares.account_ids, qty, self.gross, exact, shares.houses))

    @cached_property
    def printed_px(self) -> Decimal:
        """The average price to eight places, as it is printed and sent."""
        return round_fraction(self.avg_px, PRICE_PLACES)

    @cached_property
    def kept_px(self) -> Decimal:
        """The average price as a column keeps it."""
        return round_fraction(self.avg_px, AVG_PX_KEPT)

    @cached_property
    def booked(self) -> list[PlanLine]:
        """The lines that have a share."""
        return [line for line in self.lines if line.qty]

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 of method, average price, residual, every share and the money of each size: equal only for the same plan."""
        units = self.allocation.units
        ids = [one.int for one in self.allocation.account_ids]
        if 0 in units:
            ids, units = list(compress(ids, units)), list(compress(units, units))
        money = sorted(dict(zip(self.allocation.units, self.gross, strict=True)).items())
        head = f"{self.allocation.method}|{self.avg_px}|{plain(self.residual)}|{self.currency}"
        columns = map(hex, ids), map(str, units), (f"{size}:{gross}" for size, gross in money if size)
        text = "\n".join((head, *map(" ".join, columns)))
        return hashlib.sha256(text.encode()).hexdigest()


def make_plan(method: Method, block: Block, lines: Sequence[Line], rules: Rules | None = None) -> Plan | NotAllocated:
    """Divide the block and value every share, or say why not."""
    rules = rules or Rules()
    allocation = allocate(method, block, lines, rules)
    if isinstance(allocation, NotAllocated):
        return allocation
    avg_px = block.avg_px
    if rules.price_places is not None:
        avg_px = Fraction(round_fraction(avg_px, Decimal(1).scaleb(-rules.price_places)))
    money = _valued(allocation.units, avg_px, block)
    return Plan(allocation, money, avg_px, block.cash - sum(money, ZERO), block.currency)


def _valued(units: Sequence[int], avg_px: Fraction, block: Block) -> list[Decimal]:
    """Money of each quantity, signed: one integer division a distinct quantity."""
    unit = minor_unit(block.currency)
    one = avg_px / block.divisor / Fraction(unit) / to_units(Decimal(1))  # minor units for 10^-8 of a share
    sign = -1 if block.side.is_buy else 1
    times, by = one.numerator, one.denominator
    return looked_up({size: unit * (sign * half_even(size * times, by)) for size in set(units)}, units)
