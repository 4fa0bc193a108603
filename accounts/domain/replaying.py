"""An account's money rebuilt from events: what was deposited, what executions moved, what open orders hold. Pure.

Two roads to the same sums. A replay of everything adds up ``OrderShare``s: each order's reports folded again by
``orders``. What follows the journal live takes the events themselves (:func:`take`), which name every movement.

Invariants: settled is the sum of deposits, opening balances and write-offs, less withdrawals, and of what statements of bank and
registry moved it by; pending and short are sums over executions, less what statements say has settled; corporate actions move
every layer, line by line as their event says; what an account got of a block is pending in it and gone from the block's account;
reserved is the sum of the holds of open orders and of withdrawals that wait
for a second person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.ledger import OrderHold
from journal.domain.records import EventRecord
from kernel.fix import Side
from kernel.numbers import ZERO

DEPOSITS = frozenset({"OpeningBalancesBooked", "DepositBooked", "WithdrawalBooked", "WriteOffBooked"})
"""Their lines move the settled layer, by signed amounts."""
WITHDRAWALS = frozenset({"WithdrawalAsked", "WithdrawalBooked", "WithdrawalEnded"})
"""Their first holds cash; the others let go of it."""
ACTIONS = frozenset({"CorporateActionBooked", "ClaimBooked"})
"""Their lines move the layer they name."""
STATEMENTS = frozenset({"StatementBooked", "TradesSettled"})
"""Of many accounts at once: ``rows`` of account, currency or instrument, by what settled moved, and what of that was pending."""
ALLOCATED = {"AllocationBooked": 1, "AllocationCompensated": 1, "AllocationReversed": -1}
"""Of many accounts at once: ``lines`` of what each got of the block of ``from_account_id`` (else ``account_id``), and the sign."""
OPENINGS = frozenset({"AccountsLoaded"})
"""Of many accounts at once: ``opened`` rows of account and base currency."""
CURRENCY = 3
"""Length of a currency's name; an instrument's id is longer."""
EXECUTIONS = frozenset({"ExecutionRecorded", "ExecutionCorrected", "ExecutionBusted"})


@dataclass(frozen=True, slots=True)
class OrderShare:
    """What one order means for its account: ``cash`` and ``qty`` its executions moved (signed), and what it holds."""

    account_id: UUID
    currency: str
    instrument_id: UUID
    cash: Decimal
    qty: Decimal
    is_short: bool
    hold: OrderHold


@dataclass(slots=True)
class Sums:
    """The layers of one balance. ``short`` stays zero for cash."""

    settled: Decimal = ZERO
    pending: Decimal = ZERO
    reserved: Decimal = ZERO
    short: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        """To trade."""
        return self.settled + self.pending - self.reserved

    @property
    def is_overdrawn(self) -> bool:
        """Facts have left less than open orders hold."""
        return self.available < 0


@dataclass(slots=True)
class ReplayedMoney:
    """Cash by currency, stock by instrument, and what each open order holds."""

    account_id: UUID
    cash: dict[str, Sums] = field(default_factory=dict)
    stock: dict[UUID, Sums] = field(default_factory=dict)
    holds: dict[UUID, OrderHold] = field(default_factory=dict)

    def cash_in(self, currency: str) -> Sums:
        return self.cash.setdefault(currency, Sums())

    def stock_in(self, instrument_id: UUID) -> Sums:
        return self.stock.setdefault(instrument_id, Sums())


def take(money: ReplayedMoney, event: EventRecord) -> None:
    """One more event about the account's money; events of other kinds change nothing."""
    payload = event.payload
    if event.kind in WITHDRAWALS:
        take_withdrawal(money, event)
    if event.kind in DEPOSITS:
        for line in payload["lines"]:
            amount = Decimal(line["amount"])
            if line["instrument_id"]:
                money.stock_in(UUID(line["instrument_id"])).settled += amount
            else:
                money.cash_in(line["currency"]).settled += amount
    elif event.kind in ACTIONS:
        for line in payload["lines"]:
            named = line["instrument_id"]
            sums = money.stock_in(UUID(named)) if named else money.cash_in(line["currency"])
            setattr(sums, line["layer"], getattr(sums, line["layer"]) + Decimal(line["amount"]))
    elif event.kind in EXECUTIONS:
        moved = moved_by(payload)
        money.cash_in(payload["currency"]).pending += moved.cash
        stock = money.stock_in(moved.instrument_id)
        stock.pending += moved.pending
        stock.short += moved.short


def take_statement(told: Mapping[str, ReplayedMoney], event: EventRecord) -> None:
    """What a part of a statement moved of the accounts in ``told``, by id as text; of others nothing is taken."""
    for account_id, what, settled, moved in event.payload["rows"]:
        money = told.get(account_id)
        if money is not None:
            sums = money.cash_in(what) if len(what) == CURRENCY else money.stock_in(UUID(what))
            sums.settled += Decimal(settled)
            sums.pending -= Decimal(moved)


@dataclass(frozen=True, slots=True)
class Share:
    """What a line of a block moved: money and units of the account it was booked to, and of the one that gave."""

    account_id: str
    giver_id: str
    currency: str
    instrument_id: str
    cash: Decimal
    given: Decimal
    qty: Decimal
    is_short: bool


def shares_of(kind: str, payload: Mapping[str, Any]) -> Iterator[Share]:
    """The lines of one event of a block, signed. Charges leave the account and do not come back to the one that gave."""
    sign, giver = ALLOCATED[kind], payload.get("from_account_id", payload["account_id"])
    for line in payload["lines"]:
        side = Side(line["side"])
        qty = sign * Decimal(line["qty"])
        yield Share(
            line["booked_account_id"],
            giver,
            payload["currency"],
            payload["instrument_id"],
            sign * Decimal(line["net"]),
            -sign * Decimal(line["gross"]),
            qty if side.is_buy else -qty,
            side.is_short,
        )


def take_allocation(told: Mapping[str, ReplayedMoney], event: EventRecord) -> None:
    """What an event of a block moved of the accounts in ``told``, by id as text; of others nothing is taken."""
    for share in shares_of(event.kind, event.payload):
        for account_id, cash, qty in (
            (share.account_id, share.cash, share.qty),
            (share.giver_id, share.given, -share.qty),
        ):
            money = told.get(account_id)
            if money is None:
                continue
            money.cash_in(share.currency).pending += cash
            stock = money.stock_in(UUID(share.instrument_id))
            if share.is_short:
                stock.short -= qty
            else:
                stock.pending += qty


def take_withdrawal(money: ReplayedMoney, event: EventRecord) -> None:
    """What a withdrawal holds from now on."""
    payload = event.payload
    withdrawal_id, currency = UUID(payload["withdrawal_id"]), payload["currency"]
    had = money.holds.pop(withdrawal_id, None)
    if had is not None:
        money.cash_in(currency).reserved -= had.cash
    if event.kind == "WithdrawalAsked":
        amount = Decimal(payload["amount"])
        money.holds[withdrawal_id] = OrderHold(withdrawal_id, money.account_id, currency, amount)
        money.cash_in(currency).reserved += amount


@dataclass(frozen=True, slots=True)
class Moved:
    """What one execution event moved: cash in its currency, units in the pending layer or in the short leg."""

    cash: Decimal
    instrument_id: UUID
    pending: Decimal
    short: Decimal


def moved_by(payload: Mapping[str, Any]) -> Moved:
    """The movement an execution event names. A short sale moves the short leg, never the long one."""
    side = Side(payload["side"])
    qty = Decimal(payload["effective_qty"]) - Decimal(payload["effective_qty_before"])
    return Moved(
        cash=Decimal(payload["cash_delta"]),
        instrument_id=UUID(payload["instrument_id"]),
        pending=ZERO if side.is_short else qty if side.is_buy else -qty,
        short=qty if side.is_short else ZERO,
    )


def add_share(money: ReplayedMoney, share: OrderShare) -> None:
    """Count in what one order of the account moved and holds."""
    if share.cash:
        money.cash_in(share.currency).pending += share.cash
    if share.qty and share.is_short:
        money.stock_in(share.instrument_id).short -= share.qty
    elif share.qty:
        money.stock_in(share.instrument_id).pending += share.qty
    hold = share.hold
    if hold.is_empty:
        return
    money.holds[hold.order_id] = hold
    if hold.cash:
        money.cash_in(hold.cash_currency).reserved += hold.cash
    if hold.stock and hold.instrument_id is not None:
        money.stock_in(hold.instrument_id).reserved += hold.stock
