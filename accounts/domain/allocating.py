"""What moving a share of a block between accounts does to balances. Pure.

A move is what one account gets of a block: units and money, signed as it sees them, and what it is charged on top. The account it
comes from gives the same units and the same money, charges aside. Stock sold short moves the short leg, as for every trade.

Invariant: over both sides units and money add up to nothing; charges are the only money that leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from accounts.domain.fees import Charge
from kernel.fix import Side
from kernel.numbers import ZERO


class AllocationMove(NamedTuple):
    """``qty`` units in (+) or out (-) of the long or the short leg, ``cash`` signed and without ``charges``."""

    allocation_id: UUID | None
    account_id: UUID
    qty: Decimal
    cash: Decimal
    charges: tuple[Charge, ...] = ()

    @property
    def fees(self) -> Decimal:
        """All charges together; a cost is positive."""
        return sum([charge.amount for charge in self.charges], ZERO)


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
        qty = sum([move.qty for move in self.moves], ZERO)
        cash = sum([move.cash for move in self.moves], ZERO)
        return AllocationMove(None, self.from_account_id, -qty, -cash)


class Sum(NamedTuple):
    """What the events move of one account's balance, and the last event that did."""

    account_id: UUID
    amount: Decimal
    event_id: UUID


class Sums(NamedTuple):
    """What events move, ascending by account: cash with charges, units of the long leg, and of the short one."""

    cash: list[Sum]
    stock: list[Sum]
    short: list[Sum]


def sums_of(events: Iterable[AllocationEvent]) -> Sums:
    """By account, charges included; what comes to nothing is in it, for its row is met all the same."""
    cash: dict[
        int, list[Any]
    ] = {}  # by the number of the account's id: a UUID is hashed in Python, and a number is not
    legs: tuple[dict[int, list[Any]], ...] = ({}, {})
    for event in events:
        units, event_id = legs[event.side.is_short], event.event_id
        for _, account_id, qty, money, charges in (*event.moves, event.given):
            if charges:
                money -= sum([charge.amount for charge in charges], ZERO)
            _add(cash, account_id, money, event_id)
            if qty:
                _add(units, account_id, qty, event_id)
    return Sums(*(_sums(found) for found in (cash, *legs)))


def _add(found: dict[int, list[Any]], account_id: UUID, amount: Decimal, event_id: UUID) -> None:
    held = found.get(account_id.int)
    if held is None:
        found[account_id.int] = [account_id, amount, event_id]
    else:
        held[1] += amount
        held[2] = event_id


def _sums(found: dict[int, list[Any]]) -> list[Sum]:
    return [Sum(*found[number]) for number in sorted(found)]
