"""Cash that is to come and to go by date and currency: what is traded and not settled, fails included, and what is to be paid out.

Everything pending is a booking with its settlement date: trades, corrections, payments of corporate actions already booked at
their ex date. What should have settled before today is one line of its own (*overdue*): it comes when it comes. Withdrawals that
wait for a second person leave on the day they are approved: they are counted today. A receipt that fails takes cash away, so a
line says receipts and payments apart, never the net alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from journal.bulk import raw_cursor

# As a statement sees what is due (services/_statement_sql.py): a settlement takes from its own side, never adds to the other.
_FLOWS = """
WITH matters AS (
     SELECT b.account_id, b.currency, greatest(b.settlement_date, %(before)s::date) AS day, b.kind = 'settlement' AS has_settled,
            CASE WHEN b.kind = 'settlement' THEN sign(b.amount)::text
                 ELSE coalesce(b.execution_id, b.order_id, b.event_id)::text END AS matter, sum(b.amount) AS amount
       FROM accounts_booking b
      WHERE b.account_id = ANY(%(accounts)s::uuid[]) AND b.layer = 'pending' AND b.instrument_id IS NULL
      GROUP BY 1, 2, 3, 4, 5
)
SELECT currency, day, coalesce(sum(amount) FILTER (WHERE (amount > 0) <> has_settled), 0),
       coalesce(sum(amount) FILTER (WHERE (amount < 0) <> has_settled), 0)
  FROM matters WHERE amount <> 0 GROUP BY 1, 2 ORDER BY 1, 2
"""
_NOW = """
SELECT c.currency, sum(c.settled), coalesce(sum(w.cash), 0)
  FROM accounts_cashbalance c
  LEFT JOIN (SELECT r.account_id, r.cash_currency, sum(r.cash) AS cash FROM accounts_reservation r
               JOIN authorisation_authorisationrequest q ON q.id = r.order_id AND q.kind = 'withdrawal'
              WHERE r.account_id = ANY(%(accounts)s::uuid[]) GROUP BY 1, 2) w
    ON w.account_id = c.account_id AND w.cash_currency = c.currency
 WHERE c.account_id = ANY(%(accounts)s::uuid[]) GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class CashDay:
    """``receipts`` (>= 0) and ``payments`` (<= 0) of a date; ``expected`` is settled cash when it all has happened until then.
    ``overdue``: the date has passed."""

    day: date
    receipts: Decimal
    payments: Decimal
    expected: Decimal
    overdue: bool

    @property
    def net(self) -> Decimal:
        return self.receipts + self.payments


@dataclass(frozen=True, slots=True)
class CashForecast:
    """Of one currency: ``settled`` now, ``to_pay_out`` by withdrawals that wait, and the days to come."""

    currency: str
    settled: Decimal
    to_pay_out: Decimal
    days: tuple[CashDay, ...]

    @property
    def lowest(self) -> Decimal:
        """The least there will be, if every day goes as expected."""
        return min([self.settled - self.to_pay_out, *(one.expected for one in self.days)])


def forecast_cash(account_ids: Collection[UUID], *, today: date) -> list[CashForecast]:
    """By currency, over all the accounts together; the caller has found them visible. Two statements however many."""
    before = today - timedelta(days=1)
    values = {"accounts": sorted(set(account_ids)), "before": before}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_FLOWS, values)
        flows = cursor.fetchall()
        cursor.execute(_NOW, values)
        now = cursor.fetchall()
    found = []
    for currency, settled, to_pay_out in now:
        expected, days = settled - to_pay_out, []
        for _, day, receipts, payments in (row for row in flows if row[0] == currency):
            if receipts or payments:
                expected += receipts + payments
                days.append(CashDay(day, receipts, payments, expected, day <= before))
        found.append(CashForecast(currency, settled, to_pay_out, tuple(days)))
    return found
