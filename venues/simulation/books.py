"""What the house of the pure run has committed: the tables, as plain objects. A crash loses nothing of this.

Each operation computes all its changes first and writes them last, as the real services do in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from accounts.domain.fees import Basis, ChargeKind, ChargeTerms, FeeSet
from accounts.domain.ledger import AccountMoney, CashRow, HoldingRow, OrderHold
from journal.domain.chain import EventDraft
from journal.domain.records import EventRecord
from kernel.numbers import ZERO, Rounding
from orders.domain.applying import OrderRow, RequestRow
from orders.domain.facts import OrderFacts, facts_of_reports
from orders.domain.report import Report
from orders.domain.report_json import report_of
from venues.adapters.base import Adapter, SentMessage
from venues.adapters.registry import adapter_named
from venues.simulation.script import World
from venues.simulation.truth import COMMISSION_BPS, COMMISSION_MINIMUM, DUTY_BPS, LEVY_CAP, LEVY_CENTS_A_SHARE

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)  # a Monday
FIRST_DAY = START.date()
ACCOUNT = UUID(int=0xACC)
INSTRUMENTS = {1: UUID(int=0x101), 100: UUID(int=0x102)}
CURRENCY = "GBP"
REFERENCE_PX = Decimal(100)
OPENING_CASH = Decimal(10) ** 12
OPENING_STOCK = Decimal(10) ** 9


_COMMISSION = ChargeTerms(
    name="commission", version=1, kind=ChargeKind.COMMISSION, basis=Basis.ORDER_DAY, rounding=Rounding.HALF_UP,
    currency=CURRENCY, bps=Decimal(COMMISSION_BPS), minimum=Decimal(COMMISSION_MINIMUM) / 100,
)  # fmt: skip
_DUTY = ChargeTerms(
    name="duty",
    version=1,
    kind=ChargeKind.TAX,
    basis=Basis.ORDER_DAY,
    rounding=Rounding.HALF_UP,
    currency="",
    bps=Decimal(DUTY_BPS),
)
_LEVY = ChargeTerms(
    name="levy", version=1, kind=ChargeKind.FEE, basis=Basis.EXECUTION, rounding=Rounding.UP, currency=CURRENCY,
    per_share=Decimal(LEVY_CENTS_A_SHARE) / 100, maximum=Decimal(LEVY_CAP) / 100,
)  # fmt: skip


def fee_terms(side: str) -> FeeSet:
    """A commission with a minimum for everybody, a duty for buyers, a levy by execution for sellers."""
    return (_COMMISSION, _DUTY if side == "1" else _LEVY)


class Intent(NamedTuple):
    """Something to send once. ``adds_risk`` ones wait behind those that do not."""

    request_id: UUID
    order_id: UUID
    kind: str
    cl_ord_id: str
    message: dict[str, Any]
    adds_risk: bool


class InboxRow(NamedTuple):
    """A stored message."""

    epoch: int
    seq: int
    raw: str
    received_at: datetime


@dataclass(slots=True)
class Books:
    """One account, the orders of one world, one session."""

    world: World
    adapter: Adapter
    orders: dict[UUID, OrderRow] = field(default_factory=dict)
    order_ids: dict[int, UUID] = field(default_factory=dict)
    requests: dict[UUID, list[RequestRow]] = field(default_factory=dict)
    owners: dict[str, UUID] = field(default_factory=dict)  # order of each ClOrdID of ours
    venue_names: dict[str, UUID] = field(default_factory=dict)  # order of each OrderID a venue has used
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)  # of NEW and REPLACE requests, by ClOrdID
    origs: dict[str, str | None] = field(default_factory=dict)  # OrigClOrdID each request left with
    latest: dict[str, str] = field(default_factory=dict)  # the last raw message worked about each venue order
    waiting: list[Intent] = field(default_factory=list)
    hand_overs: dict[str, str] = field(default_factory=dict)
    sent: dict[tuple[int, int], SentMessage] = field(default_factory=dict)
    inbox: list[InboxRow] = field(default_factory=list)
    first_rows: dict[tuple[int, int], int] = field(default_factory=dict)
    cursor: int = 0
    epoch: int = 1
    next_out: int = 1
    journal: dict[UUID, list[EventDraft]] = field(default_factory=dict)  # ReportApplied of each order
    execution_ids: dict[tuple[UUID, str], UUID] = field(default_factory=dict)
    effective: dict[UUID, dict[str, tuple[Decimal, Decimal]]] = field(default_factory=dict)
    stated: dict[UUID, dict[str, tuple[Decimal, Decimal]]] = field(default_factory=dict)
    moved: dict[UUID, tuple[Decimal, Decimal]] = field(default_factory=dict)  # cash, stock of each order's bookings
    charged: dict[UUID, dict[str, Decimal]] = field(default_factory=dict)  # what its charges cost, by line
    trade_dates: dict[UUID, date] = field(default_factory=dict)  # of each execution
    account: AccountMoney = field(default_factory=lambda: opening_money())
    holds: dict[UUID, OrderHold] = field(default_factory=dict)
    matters: dict[UUID, dict[str, str]] = field(default_factory=dict)  # open anomalies of orders, kind by key
    other_matters: dict[str, str] = field(default_factory=dict)
    unmatched: list[Report] = field(default_factory=list)
    _ids: int = 0

    def new_id(self) -> UUID:
        """Ids count up: the same script gives the same ids."""
        self._ids += 1
        return UUID(int=(1 << 100) + self._ids)


def whole_facts(books: Books, order_id: UUID) -> OrderFacts:
    """All facts in hand, read again from the journal, where the row keeps only their sum."""
    told = (report_of(_as_read(draft)) for draft in books.journal.get(order_id, ()))
    return facts_of_reports(books.orders[order_id].facts.requests, told)


def _as_read(draft: EventDraft) -> EventRecord:
    return EventRecord(
        id=draft.id,
        stream=draft.stream,
        seq=0,
        position=0,
        kind=draft.kind,
        version=draft.version,
        actor=draft.actor,
        on_behalf_of=draft.on_behalf_of,
        correlation_id=draft.correlation_id,
        causation_id=draft.causation_id,
        event_at=draft.event_at,
        received_at=draft.received_at,
        recorded_at=draft.received_at,
        business_date=draft.business_date,
        payload=dict(draft.payload),
    )


def empty_books(world: World) -> Books:
    """A house on the morning of the first day."""
    return Books(world, adapter_named(world.adapter))


def opening_money() -> AccountMoney:
    """Enough of everything: what is tried here is what venues do, not what the desk can afford."""
    holdings = {
        one: HoldingRow(number, ACCOUNT, one, settled=OPENING_STOCK)
        for number, one in enumerate(INSTRUMENTS.values(), start=1)
    }
    return AccountMoney(ACCOUNT, {CURRENCY: CashRow(1, ACCOUNT, CURRENCY, settled=OPENING_CASH)}, holdings)


def moment(tick: int) -> datetime:
    """The time of a step."""
    return START + timedelta(seconds=tick)


def trading_day(day: int) -> date:
    """The date of a trading day."""
    return FIRST_DAY + timedelta(days=day - 1)


def snapshot_of(divisor: int) -> dict[str, Any]:
    """The instrument data an order is priced by."""
    return {
        "instrument_id": str(INSTRUMENTS[divisor]),
        "mic": "XSIM",
        "currency": CURRENCY,
        "price_divisor": divisor,
        "reference_price": str(REFERENCE_PX),
    }


def decimal(value: int, places: int) -> Decimal:
    """A whole number of the script as the house writes it."""
    return (ZERO + value).scaleb(-places).normalize() + ZERO
