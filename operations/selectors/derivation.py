"""What one figure of a balance is made of: every booking and every hold that sums to it, each with its event and order.

Invariant: the parts listed add up to the figure shown, and ``proved`` says whether they do: a page never claims it unchecked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from accounts.as_at import get_money_as_at
from accounts.domain.ledger import OrderHold
from accounts.domain.settling import Unsettled
from accounts.selectors import list_holds_of_accounts
from accounts.selectors.books import ALL_LAYERS, BookingPage, list_bookings
from authorisation.domain.principal import Principal
from journal.bulk import one_moment
from journal.selectors.events import EventPlace, find_event_places
from kernel.errors import NotFound
from kernel.numbers import ZERO
from operations.selectors.positions import Positions, StockLine, get_positions, refs_of
from orders.as_at import list_holds_as_at, list_working_as_at
from orders.models import Order
from orders.selectors.costs import CostStep, list_cost_steps


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name in the address, its label, which layers and trades it counts, whether holds and debts are taken
    off. ``of_cash``: only cash has it, else only stock when False."""

    name: str
    label: str
    layers: tuple[str, ...] = ALL_LAYERS
    of_day: bool = False
    less_holds: bool = False
    only_holds: bool = False
    less_debts: bool = False
    only_orders: bool = False
    of_cash: bool | None = None

    @property
    def is_booked(self) -> bool:
        """Whether bookings are among its parts."""
        return not self.only_holds and not self.only_orders


FIGURES: dict[str, Figure] = {
    figure.name: figure
    for figure in (
        Figure("traded", "Traded: settled and pending"),
        Figure("settled", "Settled", ("settled",)),
        Figure("pending", "Pending: traded, not settled", ("pending", "short")),
        Figure("day", "Moved today", of_day=True),
        Figure("reserved", "Held back", only_holds=True),
        Figure("available", "To trade: traded less held back", less_holds=True),
        Figure("withdrawable", "Withdrawable", ("settled",), less_holds=True, less_debts=True, of_cash=True),
        Figure("working", "Working orders", only_orders=True, of_cash=False),
    )
}


@dataclass(frozen=True, slots=True)
class HoldLine:
    """What one order holds of the balance."""

    order_id: UUID
    amount: Decimal


@dataclass(frozen=True, slots=True)
class WorkLine:
    """What one open order is still to do."""

    order_id: UUID
    side: str
    leaves: Decimal


@dataclass(frozen=True, slots=True)
class Derivation:
    """``figure`` of one balance, its parts, and names for the ids in them."""

    positions: Positions
    figure: Figure
    what: str
    currency: str
    line: StockLine | None
    settles: date | None
    shown: Decimal
    bookings: BookingPage | None
    holds: tuple[HoldLine, ...]
    held: Decimal
    debts: tuple[Unsettled, ...]
    orders: tuple[WorkLine, ...]
    steps: tuple[CostStep, ...]
    events: Mapping[UUID, EventPlace]
    refs: Mapping[UUID, str]

    @property
    def total(self) -> Decimal:
        """What the parts come to."""
        booked = self.bookings.total if self.bookings else ZERO
        if self.figure.less_debts:
            return max(booked - self.held + sum((debt.amount for debt in self.debts), ZERO), ZERO)
        if self.figure.only_orders:
            return sum((line.leaves for line in self.orders), ZERO)
        return booked - self.held if self.figure.less_holds else self.held if self.figure.only_holds else booked

    @property
    def proved(self) -> bool:
        return self.total == self.shown


def get_derivation(
    *, actor: Principal, code: str, what: str, name: str, now: datetime, at: datetime | None = None,
    settles: date | None = None,
) -> Derivation:  # fmt: skip
    """The parts of a figure of ``what``: a currency, or the id of an instrument.

    Raises NotFound ACCOUNT_UNKNOWN, FIGURE_UNKNOWN.
    """
    figure = FIGURES.get(name)
    with one_moment():
        positions = get_positions(actor=actor, code=code, now=now, at=at)
        cash = next((view for view in positions.cash if view.currency == what), None)
        line = next((one for one in positions.stock if str(one.view.instrument_id) == what), None)
        if figure is None or (cash is None and line is None) or figure.of_cash not in (None, cash is not None):
            raise NotFound("FIGURE_UNKNOWN", "The account has no such figure.")
        instrument_id = line.view.instrument_id if line else None
        account_id = positions.account.id
        bookings = None
        if figure.is_booked:
            bookings = list_bookings(
                account_id=account_id, currency=cash.currency if cash else "", instrument_id=instrument_id,
                layers=figure.layers, since=positions.today if figure.of_day else None, at=at,
                settles=settles if figure.name == "pending" else None,
            )  # fmt: skip
        holds: tuple[HoldLine, ...] = ()
        if figure.less_holds or figure.only_holds:
            held = _holds_as_at(account_id, at) if at else list_holds_of_accounts([account_id])
            holds = _holds(held, what)
        orders = _working(account_id, instrument_id, at) if figure.only_orders and instrument_id else ()
        steps = list_cost_steps(account_id=account_id, instrument_id=instrument_id, at=at) if instrument_id else []
    ids = (
        {hold.order_id for hold in holds}
        | {item.order_id for item in orders}
        | {step.order_id for step in steps if step.order_id}
    )
    events: dict[UUID, EventPlace] = {}
    if bookings:
        ids |= {row.order_id for row in bookings.lines if row.order_id}
        events = find_event_places({row.event_id for row in bookings.lines})
    return Derivation(
        positions, figure, cash.currency if cash else line.symbol if line else what, cash.currency if cash else "", line,
        settles, _shown(positions, figure, what, settles), bookings, holds,
        sum((hold.amount for hold in holds), ZERO),
        tuple(item for item in cash.unsettled if item.amount < 0) if cash and figure.less_debts else (), orders,
        tuple(steps), events,
        refs_of(ids),
    )  # fmt: skip


def _working(account_id: UUID, instrument_id: UUID, at: datetime | None) -> tuple[WorkLine, ...]:
    """Open orders in the instrument, oldest first."""
    if at is not None:
        then = [one for one in list_working_as_at(account_id=account_id, at=at) if one.instrument_id == instrument_id]
        return tuple(WorkLine(one.id, one.fixed["side"], one.leaves_qty) for one in then if one.is_open)
    rows = Order.objects.filter(account_id=account_id, listing__instrument_id=instrument_id, is_open=True).order_by(
        "id"
    )
    return tuple(WorkLine(*row) for row in rows.values_list("id", "side", "leaves_qty"))


def _holds_as_at(account_id: UUID, at: datetime) -> list[OrderHold]:
    """Of orders and of withdrawals."""
    orders = list_holds_as_at(account_id=account_id, at=at)
    return list(get_money_as_at(account_id=account_id, at=at, holds=orders).holds.values())


def _holds(holds: list[OrderHold], what: str) -> tuple[HoldLine, ...]:
    """Of all holds of the account, those on this balance."""
    found = []
    for hold in holds:
        if hold.cash and hold.cash_currency == what:
            found.append(HoldLine(hold.order_id, hold.cash))
        elif hold.stock and str(hold.instrument_id) == what:
            found.append(HoldLine(hold.order_id, hold.stock))
    return tuple(found)


def _shown(positions: Positions, figure: Figure, what: str, settles: date | None) -> Decimal:
    """The figure as the page of the account shows it, from balances and not from these parts."""
    cash = next((view for view in positions.cash if view.currency == what), None)
    if cash is not None:
        unsettled = cash.unsettled
        figures = {
            "traded": cash.traded, "settled": cash.settled, "pending": cash.pending, "day": cash.day.net,
            "reserved": cash.reserved, "available": cash.to_trade,
            "withdrawable": cash.withdrawable,
        }  # fmt: skip
    else:
        line = next(one for one in positions.stock if str(one.view.instrument_id) == what)
        stock = line.view
        unsettled = stock.unsettled
        figures = {
            "traded": stock.net, "settled": stock.settled, "pending": stock.pending - stock.short,
            "day": stock.day.net, "reserved": stock.reserved, "available": stock.net - stock.reserved,
            "working": line.working.buy + line.working.sell,
        }  # fmt: skip
    if settles is not None and figure.name == "pending":
        return sum((item.amount for item in unsettled if item.settlement_date == settles), ZERO)
    return figures[figure.name]
