"""An account's books as people read them: both views of every balance, and the bookings and holds each figure is the sum of.

Everything is a sum over bookings, now or as recorded until a moment; what orders hold comes from the balances (now) or from
whoever replayed them (then). Visibility is the caller's matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from accounts.as_at import get_money_as_at
from accounts.domain.ledger import OrderHold
from accounts.domain.settling import CashView, DayMoves, StockView, Unsettled
from accounts.models import CashBalance, Holding
from accounts.selectors import read_money
from journal.bulk import raw_cursor
from kernel.numbers import ZERO

_UNSETTLED = """
SELECT currency, instrument_id, settlement_date, sum(CASE WHEN layer = 'short' THEN -amount ELSE amount END) AS amount
  FROM accounts_booking
 WHERE account_id = %s AND layer <> 'settled' AND (%s::timestamptz IS NULL OR recorded_at <= %s)
 GROUP BY currency, instrument_id, settlement_date HAVING sum(CASE WHEN layer = 'short' THEN -amount ELSE amount END) <> 0
 ORDER BY settlement_date
"""
# A trade, its corrections and what of it lies in suspense are one matter: bought or sold is what is left of it.
_DAY = """
SELECT currency, instrument_id, coalesce(sum(amount) FILTER (WHERE traded AND amount > 0), 0),
       coalesce(-sum(amount) FILTER (WHERE traded AND amount < 0), 0), coalesce(sum(amount) FILTER (WHERE NOT traded), 0)
  FROM (SELECT currency, instrument_id,
               order_id IS NOT NULL OR allocation_id IS NOT NULL OR kind IN ('allocation', 'compensation') AS traded,
               coalesce(execution_id, allocation_id, order_id, event_id) AS matter,
               sum(CASE WHEN layer = 'short' THEN -amount ELSE amount END) AS amount
          FROM accounts_booking
         WHERE account_id = %s AND trade_date >= %s AND (%s::timestamptz IS NULL OR recorded_at <= %s)
         GROUP BY 1, 2, 3, 4) m
 GROUP BY currency, instrument_id
"""


@dataclass(frozen=True, slots=True)
class AccountBooks:
    """Cash by currency and stock by instrument."""

    account_id: UUID
    cash: tuple[CashView, ...]
    stock: tuple[StockView, ...]


@dataclass(frozen=True, slots=True)
class BookingLine:
    """One booking of a balance; ``signed`` counts into its position (a short sale out), ``running`` is the sum so far."""

    id: int
    event_id: UUID
    order_id: UUID | None
    execution_id: UUID | None
    kind: str
    layer: str
    amount: Decimal
    signed: Decimal
    running: Decimal
    trade_date: date
    settlement_date: date
    recorded_at: datetime


def get_books(*, account_id: UUID, today: date) -> AccountBooks:
    """The account as it stands. ``today`` decides what is due and which trades are of the day."""
    unsettled, moves = _read(account_id, today, None)
    money = read_money([account_id])[account_id]
    cash = [
        CashView(
            row.currency, row.settled, row.pending, row.reserved, unsettled[row.currency, None],
            moves.get((row.currency, None), DayMoves()), row.overdrawn_by_event is not None,
        )
        for row in money.cash.values()
    ]  # fmt: skip
    stock = [
        StockView(
            row.instrument_id, row.settled, row.pending, row.short, row.reserved, unsettled["", row.instrument_id],
            moves.get(("", row.instrument_id), DayMoves()), row.overdrawn_by_event is not None,
        )
        for row in money.holdings.values()
    ]  # fmt: skip
    return AccountBooks(account_id, tuple(sorted(cash, key=lambda view: view.currency)), tuple(stock))


def get_cash(*, account_id: UUID, currency: str, today: date) -> CashView:
    """One balance in both views; an empty one where there is none."""
    views = get_books(account_id=account_id, today=today).cash
    return next((view for view in views if view.currency == currency), CashView(currency, ZERO, ZERO, ZERO))


def get_books_as_at(*, account_id: UUID, at: datetime, today: date, holds: Iterable[OrderHold]) -> AccountBooks:
    """The account as it was known ``at`` a time, with the ``holds`` of that time reserved."""
    unsettled, moves = _read(account_id, today, at)
    money = get_money_as_at(account_id=account_id, at=at, holds=holds)
    cash = [
        CashView(
            currency, sums.settled, sums.pending, sums.reserved, unsettled[currency, None],
            moves.get((currency, None), DayMoves()), sums.is_overdrawn,
        )
        for currency, sums in sorted(money.cash.items())
    ]  # fmt: skip
    stock = [
        StockView(
            instrument_id, sums.settled, sums.pending, sums.short, sums.reserved, unsettled["", instrument_id],
            moves.get(("", instrument_id), DayMoves()), sums.is_overdrawn,
        )
        for instrument_id, sums in money.stock.items()
    ]  # fmt: skip
    return AccountBooks(account_id, tuple(cash), tuple(stock))


Place = tuple[str, UUID | None]


def _read(
    account_id: UUID, today: date, at: datetime | None
) -> tuple[defaultdict[Place, tuple[Unsettled, ...]], dict[Place, DayMoves]]:
    unsettled: defaultdict[Place, tuple[Unsettled, ...]] = defaultdict(tuple)
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_UNSETTLED, [account_id, at, at])
        for currency, instrument_id, settlement_date, amount in cursor.fetchall():
            unsettled[currency, instrument_id] += (Unsettled(settlement_date, amount, settlement_date <= today),)
        cursor.execute(_DAY, [account_id, today, at, at])
        moves = {(row[0], row[1]): DayMoves(*row[2:]) for row in cursor.fetchall()}
    return unsettled, moves


@dataclass(frozen=True, slots=True)
class BookingPage:
    """The latest bookings of one balance, oldest first, and what the ``earlier`` ones before them come to."""

    lines: tuple[BookingLine, ...]
    earlier: int
    carried: Decimal
    total: Decimal


_TOTAL = """
SELECT count(*), coalesce(sum(CASE WHEN layer = 'short' THEN -amount ELSE amount END), 0) FROM accounts_booking
 WHERE account_id = %(account_id)s AND currency = %(currency)s AND instrument_id IS NOT DISTINCT FROM %(instrument_id)s
   AND layer = ANY(%(layers)s::text[]) AND (%(at)s::timestamptz IS NULL OR recorded_at <= %(at)s)
   AND (%(day)s::date IS NULL OR trade_date >= %(day)s) AND (%(settles)s::date IS NULL OR settlement_date = %(settles)s)
"""
_LATEST = """
SELECT id, event_id, order_id, execution_id, kind, layer, amount, CASE WHEN layer = 'short' THEN -amount ELSE amount END,
       trade_date, settlement_date, recorded_at FROM accounts_booking
 WHERE account_id = %(account_id)s AND currency = %(currency)s AND instrument_id IS NOT DISTINCT FROM %(instrument_id)s
   AND layer = ANY(%(layers)s::text[]) AND (%(at)s::timestamptz IS NULL OR recorded_at <= %(at)s)
   AND (%(day)s::date IS NULL OR trade_date >= %(day)s) AND (%(settles)s::date IS NULL OR settlement_date = %(settles)s)
 ORDER BY id DESC LIMIT %(limit)s
"""
ALL_LAYERS = ("settled", "pending", "short")


def list_bookings(
    *,
    account_id: UUID,
    currency: str = "",
    instrument_id: UUID | None = None,
    layers: Sequence[str] = ALL_LAYERS,
    since: date | None = None,
    settles: date | None = None,
    at: datetime | None = None,
    limit: int = 500,
) -> BookingPage:
    """The latest ``limit`` bookings of one balance, each with the running sum; ``since`` is a trade date."""
    values = {
        "account_id": account_id, "currency": currency, "instrument_id": instrument_id, "layers": list(layers), "at": at,
        "day": since, "settles": settles, "limit": limit,
    }  # fmt: skip
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_TOTAL, values)
        count, total = cursor.fetchall()[0]
        cursor.execute(_LATEST, values)
        rows = cursor.fetchall()[::-1]
    running = carried = total - sum((row[7] for row in rows), Decimal(0))
    lines = []
    for row in rows:
        running += row[7]
        lines.append(BookingLine(*(*row[:8], running, *row[8:])))
    return BookingPage(tuple(lines), count - len(lines), carried, total)


def what_closing_meets(account_id: UUID) -> str:
    """What an account still has, in a few words; the empty text where nothing is left and nothing is to come."""
    something = ~Q(settled=0) | ~Q(pending=0) | ~Q(reserved=0)
    cash = CashBalance.objects.filter(something, account_id=account_id).order_by("currency").first()
    if cash is not None:
        return f"it has cash in {cash.currency}, settled, pending or held back"
    if Holding.objects.filter(something | ~Q(short=0), account_id=account_id).exists():
        return "it has stock, settled, pending or held back"
    return ""
