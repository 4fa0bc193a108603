"""Executions as both sides have them, and what busts and corrections of a file leave of its trades. Pure.

A bust or a correction is no execution of its own: it changes the one it names. What is compared is what is left, on either
side, so a file that lists a trade and its bust agrees with a book that has the trade busted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from kernel.numbers import ZERO

BUST, CORRECTION = "bust", "correction"


@dataclass(frozen=True, slots=True)
class OurTrade:
    """An execution in our books. ``qty`` and ``px`` are in force, ``raw`` is all of the record as it is shown.

    ``expected``: of this day, in this source's market, and before its cut: the file should have it. ``agreed``: already found
    in the file, equal. ``order_id`` is None for a trade of an unknown order, which lies in suspense.
    """

    id: UUID
    exec_id: str
    qty: Decimal
    px: Decimal
    side: str
    trade_date: date
    event_at: datetime
    order_id: UUID | None = None
    order_ref: str = ""
    exec_ref_id: str = ""
    cl_ord_id: str = ""
    venue_order_id: str = ""
    account_id: UUID | None = None
    account: str = ""
    instrument_id: UUID | None = None
    isin: str = ""
    symbol: str = ""
    mic: str = ""
    currency: str = ""
    price_unit: str = ""
    divisor: int = 1
    commission: Decimal = ZERO
    fees: Decimal = ZERO
    settlement_date: date | None = None
    suspense_qty: Decimal = ZERO
    expected: bool = True
    agreed: bool = False
    note: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def execution_id(self) -> UUID | None:
        """Of a booked execution; one of an unknown order has none."""
        return self.id if self.order_id is not None else None

    @property
    def value(self) -> Decimal:
        """What it is worth, in its currency."""
        return abs(self.qty * self.px) / self.divisor


@dataclass(frozen=True, slots=True)
class TheirTrade:
    """A row of the file, with what its names mean to us. None and empty: the file does not say, or the name is none of ours.

    ``trade_date`` is the one it says, else the market's date of its time. ``named``: it names an order, ours or not; where ours,
    ``order_account_id`` and ``order_instrument_id`` are that order's.
    """

    line: int
    exec_id: str
    qty: Decimal
    px: Decimal
    kind: str = "trade"
    exec_ref_id: str = ""
    order_id: UUID | None = None
    order_ref: str = ""
    named: bool = False
    cl_ord_id: str = ""
    venue_order_id: str = ""
    mapped_exec_id: str = ""
    side: str = ""
    account: str = ""
    account_id: UUID | None = None
    instrument: str = ""
    instrument_id: UUID | None = None
    order_account_id: UUID | None = None
    order_instrument_id: UUID | None = None
    currency: str = ""
    money: str = ""  # the currency its value is in, said or the market's
    divisor: int = 1
    commission: Decimal | None = None
    fees: Decimal | None = None
    trade_date: date | None = None
    transact_time: datetime | None = None
    settlement_date: date | None = None


@dataclass(slots=True)
class Told:
    """A trade of the file as its busts and corrections leave it. ``orphan``: the file has the change, not the trade."""

    row: TheirTrade
    ids: set[str]
    lines: list[int]
    qty: Decimal
    px: Decimal
    orphan: bool = False
    busted_by: str = ""
    corrected_by: str = ""
    ours: OurTrade | None = None
    same_as: OurTrade | None = None

    @property
    def order_id(self) -> UUID | None:
        return self.row.order_id

    @property
    def value(self) -> Decimal:
        """What is left of it is worth; of a bust that nobody knows the trade of, what it says itself."""
        return abs((self.qty or self.row.qty) * (self.px or self.row.px)) / self.row.divisor


def tell(rows: Iterable[TheirTrade]) -> list[Told]:
    """The trades of the file, busts and corrections applied in the order of its lines, whichever comes first."""
    ordered = sorted(rows, key=lambda row: row.line)
    told = [Told(row, {row.exec_id}, [row.line], row.qty, row.px) for row in ordered if row.kind == "trade"]
    by_id: dict[str, list[Told]] = {}
    for one in told:
        by_id.setdefault(one.row.exec_id, []).append(one)
    for row in ordered:
        if row.kind == "trade":
            continue
        target = _named_by(row, by_id.get(row.exec_ref_id or row.exec_id, []))
        if target is None:
            reference = row.exec_ref_id or row.exec_id
            target = Told(row, {reference}, [], row.qty, row.px, orphan=True)
            told.append(target)
            by_id.setdefault(reference, []).append(target)
        _change(target, row)
        if row.exec_id not in target.ids:
            target.ids.add(row.exec_id)
            by_id.setdefault(row.exec_id, []).append(target)
    return told


def _named_by(row: TheirTrade, found: list[Told]) -> Told | None:
    """The trade a change is about: of those with its ExecID the one of the same order, the latest live one first."""
    fitting = [one for one in found if not row.named or not one.row.named or _same_order(row, one.row)]
    live = [one for one in fitting if not one.busted_by]
    again = [one for one in fitting if one.busted_by == row.exec_id]  # the same bust, told twice
    chosen = again or live or fitting
    return chosen[-1] if chosen else None


def _same_order(one: TheirTrade, other: TheirTrade) -> bool:
    if one.order_id is not None or other.order_id is not None:
        return one.order_id == other.order_id
    return (one.cl_ord_id, one.venue_order_id) == (other.cl_ord_id, other.venue_order_id)


def _change(told: Told, row: TheirTrade) -> None:
    told.lines.append(row.line)
    if row.kind == BUST:
        told.qty, told.busted_by = ZERO, row.exec_id
    elif not told.busted_by:  # a bust is final
        told.qty, told.px, told.corrected_by = row.qty, row.px, row.exec_id
        told.row = replace(
            told.row,
            commission=told.row.commission if row.commission is None else row.commission,
            fees=told.row.fees if row.fees is None else row.fees,
            settlement_date=row.settlement_date or told.row.settlement_date,
        )
