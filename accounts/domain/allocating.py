"""What moving a share of a block between accounts does to balances. Pure.

A move is what one account gets of a block: units and money, signed as it sees them, and what it is charged on top. The account it
comes from gives the same units and the same money, charges aside. Stock sold short moves the short leg, as for every trade.

Invariant: over both sides units and money add up to nothing; charges are the only money that leaves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from accounts.domain.fees import Charge
from kernel.fix import Side
from kernel.numbers import ZERO


class AllocationMove(NamedTuple):
    """``qty`` units in (+) or out (-) of the long or the short leg, ``cash`` signed and without ``charges``."""

    allocation_id: UUID
    account_id: UUID
    qty: Decimal
    cash: Decimal
    charges: tuple[Charge, ...] = ()

    @property
    def fees(self) -> Decimal:
        """All charges together; a cost is positive."""
        return sum((charge.amount for charge in self.charges), ZERO)


@dataclass(frozen=True, slots=True)
class AllocationEvent:
    """The moves that one event tells. ``kind`` is allocation or compensation; ``from_account_id`` gives what they get.

    ``gives_on`` is the settlement date of what it gives, where that is another: a trade that undoes a settled share settles on a day of
    its own, while the account of the block settles all of it on the block's.
    """

    event_id: UUID
    kind: str
    from_account_id: UUID
    side: Side
    instrument_id: UUID
    currency: str
    trade_date: date
    settlement_date: date
    moves: Sequence[AllocationMove]
    gives_on: date | None = None

    @property
    def given(self) -> AllocationMove:
        """What the account of the block moves by: the opposite of all, without charges. It has no allocation of its own."""
        qty = sum((move.qty for move in self.moves), ZERO)
        cash = sum((move.cash for move in self.moves), ZERO)
        return AllocationMove(self.event_id, self.from_account_id, -qty, -cash)


class Sum(NamedTuple):
    """What the events move of one balance, and the last event that did."""

    amount: Decimal
    event_id: UUID


def sums_of(events: Iterable[AllocationEvent]) -> tuple[dict[UUID, Sum], dict[UUID, Sum]]:
    """Cash and units by account, charges included; what comes to nothing is in it, for its row is met all the same."""
    cash: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    units: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    last: dict[UUID, UUID] = {}
    for event in events:
        for move in (*event.moves, event.given):
            cash[move.account_id] += move.cash - move.fees if move.charges else move.cash
            if move.qty:
                units[move.account_id] += move.qty
            last[move.account_id] = event.event_id
    return (
        {account: Sum(cash[account], last[account]) for account in sorted(cash)},
        {account: Sum(units[account], last[account]) for account in sorted(units)},
    )
