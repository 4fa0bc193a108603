"""What accounts had at the end of a market's day: each one's latest row up to that day. The basis the next morning is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from accounts.models import ClosedDay
from journal.bulk import raw_cursor

CLOSING_SQL = """
SELECT DISTINCT ON (account_id, currency, instrument_id) account_id, currency, instrument_id, settled, pending, short
  FROM accounts_closingbalance WHERE market = %(market)s AND day <= %(day)s
 ORDER BY account_id, currency, instrument_id, day DESC
"""
"""For statements that compare whole files with it; one row an account and currency or instrument, zeros included."""


class ClosingRow(NamedTuple):
    """``currency`` of cash, ``instrument_id`` of stock."""

    account_id: UUID
    currency: str
    instrument_id: UUID | None
    settled: Decimal
    pending: Decimal
    short: Decimal


def list_closing(*, market: str, day: date) -> Sequence[ClosingRow]:
    """Everything that was not zero at the end of the day, by account."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT * FROM ({CLOSING_SQL}) c WHERE (settled, pending, short) <> (0, 0, 0)",  # noqa: S608
            {"market": market, "day": day},
        )
        return [ClosingRow(*row) for row in cursor.fetchall()]


def last_closed_day(market: str) -> date | None:
    """The last day of the market that is closed in our books."""
    return ClosedDay.objects.filter(market=market).order_by("-day").values_list("day", flat=True).first()
