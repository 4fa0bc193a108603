"""What accounts may trade with: cash in a currency and stock in an instrument, reservations taken off, and units sold short.

Columns for statements that find the accounts themselves, and a statement for accounts that are known. Ten thousand numbers come as one
text, which is read in a tenth of the time of ten thousand values.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Final
from uuid import UUID

from journal.bulk import raw_cursor
from journal.domain.pg_text import array_literal

_CASH: Final = "coalesce(c.settled + c.pending - c.reserved, 0)"
_STOCK: Final = "coalesce(h.settled + h.pending - h.reserved, 0)"
CASH_COLUMN: Final = f"string_agg(({_CASH})::text, ' ' ORDER BY nth)"
_STOCK_COLUMNS: Final = (
    f"string_agg(({_STOCK})::text, ' ' ORDER BY nth), string_agg((coalesce(h.short, 0))::text, ' ' ORDER BY nth)"
)
MEANS_COLUMNS: Final = f"{CASH_COLUMN}, {_STOCK_COLUMNS}"
"""In the order of ``nth``; read by :class:`Means`, which asks for stock where only the first was read along."""
CASH_TABLE: Final = """
  LEFT JOIN accounts_cashbalance c ON c.account_id = {account} AND c.currency = %(currency)s"""
_STOCK_TABLE: Final = """
  LEFT JOIN accounts_holding h ON h.account_id = {account} AND h.instrument_id = %(instrument)s"""
MEANS_TABLES: Final = f"{CASH_TABLE}{_STOCK_TABLE}"
_KNOWN: Final = "SELECT {columns} FROM unnest(%(accounts)s::uuid[]) WITH ORDINALITY AS named(id, nth){tables}"
_MEANS = _KNOWN.format(columns=MEANS_COLUMNS, tables=MEANS_TABLES.format(account="named.id"))
_STOCKS = _KNOWN.format(columns=_STOCK_COLUMNS, tables=_STOCK_TABLE.format(account="named.id"))


class Means:
    """A number for each account, in their order. Read from text when it is asked for; stock is asked of the database then, where it was
    not read along: hardly any purchase needs it."""

    def __init__(
        self,
        account_ids: Sequence[UUID],
        instrument_id: UUID,
        cash: str | None,
        stock: str | None = None,
        short: str | None = None,
    ) -> None:
        self._of, self._cash = (account_ids, instrument_id), cash
        self._told = None if stock is None or short is None else (stock, short)

    @cached_property
    def cash(self) -> list[Decimal]:
        return _numbers(self._cash)

    @cached_property
    def stock(self) -> list[Decimal]:
        return _numbers(self._stocks[0])

    @cached_property
    def short(self) -> list[Decimal]:
        return _numbers(self._stocks[1])

    @cached_property
    def _stocks(self) -> tuple[str, str]:
        if self._told is not None or not self._of[0]:
            return self._told or ("", "")
        ids, instrument_id = self._of
        with raw_cursor() as cursor:
            cursor.execute(_STOCKS, {"accounts": array_literal("uuid", ids), "instrument": instrument_id})
            stock, short = cursor.fetchall()[0]
            return stock, short


def _numbers(text: str | None) -> list[Decimal]:
    return list(map(Decimal, (text or "").split()))


def means_of(account_ids: Sequence[UUID], *, currency: str, instrument_id: UUID) -> Means:
    """In the order of the accounts. One statement; nothing is locked here."""
    values = {"accounts": array_literal("uuid", account_ids), "currency": currency, "instrument": instrument_id}
    with raw_cursor() as cursor:
        cursor.execute(_MEANS, values)
        return Means(account_ids, instrument_id, *cursor.fetchall()[0])
