"""What accounts may trade with: cash in a currency and stock in an instrument, reservations taken off, and units sold short.

Columns and joins for statements that find the accounts themselves, and one for accounts that are known.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Final
from uuid import UUID

from journal.bulk import raw_cursor
from journal.domain.pg_text import array_literal

Means = tuple[Decimal, ...]
"""Cash, stock, units sold short."""
MEANS_COLUMNS: Final = """
       coalesce(c.settled + c.pending - c.reserved, 0), coalesce(h.settled + h.pending - h.reserved, 0), coalesce(h.short, 0)
"""
MEANS_TABLES: Final = """
  LEFT JOIN accounts_cashbalance c ON c.account_id = {account} AND c.currency = %(currency)s
  LEFT JOIN accounts_holding h ON h.account_id = {account} AND h.instrument_id = %(instrument)s"""
_MEANS = f"""
SELECT a, {MEANS_COLUMNS}
  FROM unnest(%(accounts)s::uuid[]) a{MEANS_TABLES.format(account="a")}
"""  # noqa: S608


def means_of(account_ids: Collection[UUID], *, currency: str, instrument_id: UUID) -> dict[UUID, Means]:
    """By account. One statement; nothing is locked here."""
    values = {"accounts": array_literal("uuid", account_ids), "currency": currency, "instrument": instrument_id}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_MEANS, values)
        return {row[0]: row[1:] for row in cursor.fetchall()}
