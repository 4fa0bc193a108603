"""Balances and what moves them. Pure: rows in, rows out.

A posting changes one layer of one balance; a hold is what one open order keeps back. Facts are always posted: a
balance that falls below what is reserved keeps the event that did it, until it is covered again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from accounts.domain.fees import Charge
from kernel.fix import Side
from kernel.numbers import ZERO


class Layer(StrEnum):
    """Which part of a balance a posting moves."""

    SETTLED = "settled"
    PENDING = "pending"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class CashRow:
    """Cash of an account in one currency. ``id`` is the row's key."""

    id: int
    account_id: UUID
    currency: str
    settled: Decimal = ZERO
    pending: Decimal = ZERO
    reserved: Decimal = ZERO
    overdrawn_by_event: UUID | None = None

    @property
    def available(self) -> Decimal:
        """To trade: settled and pending less what open orders hold."""
        return self.settled + self.pending - self.reserved


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """Stock of an account in one instrument, in units. ``short`` is a leg of its own, sold short in total."""

    id: int
    account_id: UUID
    instrument_id: UUID
    settled: Decimal = ZERO
    pending: Decimal = ZERO
    reserved: Decimal = ZERO
    short: Decimal = ZERO
    overdrawn_by_event: UUID | None = None

    @property
    def traded(self) -> Decimal:
        """Long position from executions, settled or not."""
        return self.settled + self.pending

    @property
    def net(self) -> Decimal:
        """Position: long less short."""
        return self.traded - self.short

    @property
    def available(self) -> Decimal:
        return self.traded - self.reserved

    @property
    def sellable(self) -> Decimal:
        """What a further sale (Side 2) may sell: long less short less other open sales; never negative."""
        return max(self.available - self.short, ZERO)


@dataclass(frozen=True, slots=True)
class AccountMoney:
    """The balances of one account as locked or read."""

    account_id: UUID
    cash: Mapping[str, CashRow] = field(default_factory=dict)
    holdings: Mapping[UUID, HoldingRow] = field(default_factory=dict)

    def available_cash(self, currency: str) -> Decimal:
        row = self.cash.get(currency)
        return row.available if row else ZERO

    def sellable(self, instrument_id: UUID) -> Decimal:
        row = self.holdings.get(instrument_id)
        return row.sellable if row else ZERO


@dataclass(frozen=True, slots=True)
class OrderHold:
    """What one order holds from now on, in whole (not a difference). ``event_id`` is the fact behind it, if one is."""

    order_id: UUID
    account_id: UUID
    cash_currency: str = ""
    cash: Decimal = ZERO
    instrument_id: UUID | None = None
    stock: Decimal = ZERO
    event_id: UUID | None = None

    @property
    def is_empty(self) -> bool:
        return self.cash == 0 and self.stock == 0


@dataclass(frozen=True, slots=True)
class TradeBooking:
    """One execution, correction or bust as a change: ``qty_delta`` units (bought +, sold -), ``cash_delta`` money.

    ``charges`` are costs (positive) on top of ``cash_delta``, each booked as its own. ``kind`` is trade, bust, correction or
    suspense. What an unknown order executed is booked as a whole, under its id and without an execution.
    """

    account_id: UUID
    order_id: UUID
    execution_id: UUID | None
    event_id: UUID
    kind: str
    side: Side
    instrument_id: UUID
    currency: str
    qty_delta: Decimal
    cash_delta: Decimal
    trade_date: date
    settlement_date: date
    charges: tuple[Charge, ...] = ()

    @property
    def fees(self) -> Decimal:
        """All charges together."""
        return sum((charge.amount for charge in self.charges), ZERO)


@dataclass(frozen=True, slots=True)
class Posting:
    """A change of one layer of one balance: cash when ``currency`` is set, else stock.

    ``kind`` and ``charge`` are said by postings that are booked as something else than what they belong to.
    """

    account_id: UUID
    event_id: UUID
    layer: Layer
    amount: Decimal
    currency: str = ""
    instrument_id: UUID | None = None
    kind: str = ""
    charge: str = ""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A balance that went below what is reserved, or came back: ``available`` after, and the event that did it."""

    account_id: UUID
    currency: str
    instrument_id: UUID | None
    available: Decimal
    event_id: UUID | None


@dataclass(frozen=True, slots=True)
class Posted:
    """The rows that changed, as they are now, and the balances that fell below zero or came back."""

    cash: tuple[CashRow, ...]
    holdings: tuple[HoldingRow, ...]
    overdrawn: tuple[Shortfall, ...]
    recovered: tuple[Shortfall, ...]


def trade_postings(booking: TradeBooking) -> list[Posting]:
    """What a trade moves: cash and stock in the pending layer; a short sale moves the short leg, never the long one."""
    account_id, event_id = booking.account_id, booking.event_id
    postings = []
    if booking.cash_delta:
        postings.append(Posting(account_id, event_id, Layer.PENDING, booking.cash_delta, booking.currency))
    for charge in booking.charges:
        postings.append(
            Posting(
                account_id,
                event_id,
                Layer.PENDING,
                -charge.amount,
                booking.currency,
                kind=charge.kind,
                charge=charge.name,
            )
        )
    if booking.qty_delta:
        short = booking.side.is_short
        layer, amount = (Layer.SHORT, -booking.qty_delta) if short else (Layer.PENDING, booking.qty_delta)
        postings.append(Posting(account_id, event_id, layer, amount, instrument_id=booking.instrument_id))
    return postings


def needed_rows(
    postings: Iterable[Posting], holds: Iterable[OrderHold]
) -> tuple[set[tuple[UUID, str]], set[tuple[UUID, UUID]]]:
    """The (account, currency) and (account, instrument) pairs that the postings and holds touch."""
    cash: set[tuple[UUID, str]] = set()
    stock: set[tuple[UUID, UUID]] = set()
    for posting in postings:
        if posting.instrument_id is None:
            cash.add((posting.account_id, posting.currency))
        else:
            stock.add((posting.account_id, posting.instrument_id))
    for hold in holds:
        if hold.cash:
            cash.add((hold.account_id, hold.cash_currency))
        if hold.stock and hold.instrument_id is not None:
            stock.add((hold.account_id, hold.instrument_id))
    return cash, stock


_PLACE = {"settled": 0, "pending": 1, "reserved": 2, "short": 3}
_RESERVED = 2


class _Sheet:
    """Running sums (settled, pending, reserved, short) of the rows being changed, and the last event on each."""

    def __init__(self, money: Mapping[UUID, AccountMoney]) -> None:
        self.money = money
        self.cash: dict[tuple[UUID, str], list[Decimal]] = {}
        self.stock: dict[tuple[UUID, UUID], list[Decimal]] = {}
        self.events: dict[tuple[UUID, str] | tuple[UUID, UUID], UUID | None] = {}

    def move_cash(self, key: tuple[UUID, str], place: int, amount: Decimal, event_id: UUID | None) -> None:
        sums = self.cash.get(key)
        if sums is None:
            row = self.money[key[0]].cash[key[1]]
            sums = self.cash[key] = [row.settled, row.pending, row.reserved]
        sums[place] += amount
        self.events[key] = event_id or self.events.get(key)

    def move_stock(self, key: tuple[UUID, UUID], place: int, amount: Decimal, event_id: UUID | None) -> None:
        sums = self.stock.get(key)
        if sums is None:
            row = self.money[key[0]].holdings[key[1]]
            sums = self.stock[key] = [row.settled, row.pending, row.reserved, row.short]
        sums[place] += amount
        self.events[key] = event_id or self.events.get(key)

    def move_hold(self, hold: OrderHold, sign: int, event_id: UUID | None) -> None:
        if hold.cash:
            self.move_cash((hold.account_id, hold.cash_currency), _RESERVED, sign * hold.cash, event_id)
        if hold.stock and hold.instrument_id is not None:
            self.move_stock((hold.account_id, hold.instrument_id), _RESERVED, sign * hold.stock, event_id)


def post(
    money: Mapping[UUID, AccountMoney],
    postings: Sequence[Posting],
    holds: Sequence[tuple[OrderHold | None, OrderHold]] = (),
) -> Posted:
    """Apply all postings and exchange old holds for new ones, as one change. Each row touched must be in ``money``."""
    sheet = _Sheet(money)
    for posting in postings:
        place = _PLACE[posting.layer.value]
        if posting.instrument_id is None:
            sheet.move_cash((posting.account_id, posting.currency), place, posting.amount, posting.event_id)
        else:
            sheet.move_stock((posting.account_id, posting.instrument_id), place, posting.amount, posting.event_id)
    for old, new in holds:
        if old is not None:
            sheet.move_hold(old, -1, new.event_id)
        sheet.move_hold(new, 1, new.event_id)
    overdrawn: list[Shortfall] = []
    recovered: list[Shortfall] = []
    cash = []
    for (account_id, currency), (settled, pending, reserved) in sheet.cash.items():
        row = money[account_id].cash[currency]
        event_id = sheet.events[account_id, currency]
        found = Shortfall(account_id, currency, None, settled + pending - reserved, event_id)
        mark = _mark(row.overdrawn_by_event, found, overdrawn, recovered)
        cash.append(CashRow(row.id, account_id, currency, settled, pending, reserved, mark))
    stock = []
    for (account_id, instrument_id), (settled, pending, reserved, short) in sheet.stock.items():
        held = money[account_id].holdings[instrument_id]
        event_id = sheet.events[account_id, instrument_id]
        found = Shortfall(account_id, "", instrument_id, settled + pending - reserved, event_id)
        mark = _mark(held.overdrawn_by_event, found, overdrawn, recovered)
        stock.append(HoldingRow(held.id, account_id, instrument_id, settled, pending, reserved, short, mark))
    return Posted(tuple(cash), tuple(stock), tuple(overdrawn), tuple(recovered))


def _mark(before: UUID | None, found: Shortfall, overdrawn: list[Shortfall], recovered: list[Shortfall]) -> UUID | None:
    """The event to keep as the reason: the first that overdrew, none once the balance is covered."""
    if found.available >= 0:
        if before is not None:
            recovered.append(found)
        return None
    if before is None:
        overdrawn.append(found)
        return found.event_id
    return before
