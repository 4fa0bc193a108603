"""Close a market's day in our books: write down what every account had of it, where that differs from the closing before.

A balance is all bookings of days up to this one, whenever the closing runs: what was booked of later days is taken off again.
One statement in one moment, so that fills of other markets go on; the same day twice is the same closing. Days are closed
in order: what an earlier day came to can no longer be said once a later one is closed on top of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from accounts.locks import lock_closing
from accounts.models import ClosedDay
from journal.bulk import raw_cursor
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Refused
from kernel.ids import new_id

_WRITE = """
WITH scope AS (
    SELECT DISTINCT instrument_id FROM refdata_listing WHERE market_id = %(market)s
), later AS (
    SELECT account_id, currency, instrument_id,
           sum(amount) FILTER (WHERE layer = 'settled') AS settled,
           sum(amount) FILTER (WHERE layer = 'pending') AS pending,
           sum(amount) FILTER (WHERE layer = 'short') AS short
      FROM accounts_booking WHERE trade_date > %(day)s GROUP BY account_id, currency, instrument_id
), standing AS (
    SELECT account_id, currency, NULL::uuid AS instrument_id, settled, pending, 0::numeric AS short
      FROM accounts_cashbalance
     WHERE currency = (SELECT currency FROM refdata_market WHERE mic = %(market)s)
     UNION ALL
    SELECT account_id, '', instrument_id, settled, pending, short
      FROM accounts_holding WHERE instrument_id IN (SELECT instrument_id FROM scope)
), closing AS (
    SELECT s.account_id, s.currency, s.instrument_id,
           s.settled - coalesce(l.settled, 0) AS settled, s.pending - coalesce(l.pending, 0) AS pending,
           s.short - coalesce(l.short, 0) AS short
      FROM standing s LEFT JOIN later l ON l.account_id = s.account_id AND l.currency = s.currency
                                       AND l.instrument_id IS NOT DISTINCT FROM s.instrument_id
), before AS (
    SELECT DISTINCT ON (account_id, currency, instrument_id)
           account_id, currency, instrument_id, settled, pending, short
      FROM accounts_closingbalance WHERE market = %(market)s AND day < %(day)s
     ORDER BY account_id, currency, instrument_id, day DESC
), written AS (
INSERT INTO accounts_closingbalance (closed_id, market, day, account_id, currency, instrument_id, settled, pending, short)
SELECT %(closed)s, %(market)s, %(day)s, c.account_id, c.currency, c.instrument_id, c.settled, c.pending, c.short
  FROM closing c LEFT JOIN before b ON b.account_id = c.account_id AND b.currency = c.currency
                                   AND b.instrument_id IS NOT DISTINCT FROM c.instrument_id
 WHERE (c.settled, c.pending, c.short)
       IS DISTINCT FROM (coalesce(b.settled, 0), coalesce(b.pending, 0), coalesce(b.short, 0))
RETURNING currency
)
SELECT count(*) FILTER (WHERE currency <> ''), count(*) FILTER (WHERE currency = '') FROM written
"""


@dataclass(frozen=True, slots=True)
class Closing:
    """How many balances differ from the closing before. ``again``: the day was closed already, this is that closing."""

    cash_rows: int
    stock_rows: int
    again: bool = False


def close_day(*, market: str, day: date, actor: str, at: datetime) -> Closing:
    """Raises Refused DAY_CLOSED_BEYOND where a later day of the market is closed."""
    with transaction.atomic():
        lock_closing(market)
        last = ClosedDay.objects.filter(market=market, day__gte=day).order_by("-day").first()
        if last is not None and last.day > day:
            raise Refused(
                "DAY_CLOSED_BEYOND",
                f"{market} is closed up to {last.day}; what {day} came to can no longer be said.",
                {"market": market, "day": str(day), "closed": str(last.day)},
            )
        if last is not None:
            return Closing(last.cash_rows, last.stock_rows, again=True)
        return _write(market, day, actor, at)


def _write(market: str, day: date, actor: str, at: datetime) -> Closing:
    closed_id, event_id = new_id(), new_id()
    with raw_cursor() as cursor:  # the rows before the row they name: it counts them, and the key looks at the commit
        cursor.execute(_WRITE, {"market": market, "day": day, "closed": closed_id})
        cash_rows, stock_rows = cursor.fetchone() or (0, 0)
    closing = Closing(cash_rows, stock_rows)
    ClosedDay.objects.create(
        id=closed_id,
        market=market,
        day=day,
        cash_rows=closing.cash_rows,
        stock_rows=closing.stock_rows,
        event_id=event_id,
        closed_at=at,
    )
    payload = {
        "market": market,
        "day": str(day),
        "closed_day_id": str(closed_id),
        "cash_rows": closing.cash_rows,
        "stock_rows": closing.stock_rows,
    }
    draft = EventDraft(
        id=event_id,
        stream=f"day:{market}",
        kind="BooksClosed",
        actor=actor,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=day,
        payload=payload,
    )
    append_to_stream(drafts=[draft], at=at)
    return closing
