"""What the names of a file are in our books: accounts, instruments, orders; declared alternates where a name is not ours.

The file's word is tried as it stands first; what a source is declared to call ours (``OutsideName``) second, a former symbol
or ISIN of the days it was in use third. A name that fits several things fits none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from reconciliation.models import OutsideName

_ALTERNATES = """
SELECT DISTINCT ON (what, theirs) what, theirs, ours FROM reconciliation_outsidename
 WHERE source = %s ORDER BY what, theirs, version DESC
"""
_ACCOUNTS = "SELECT code, id FROM accounts_tradingaccount WHERE code = ANY(%s)"
_LISTINGS = """
SELECT n.isin, l.symbol, l.venue_symbol, l.market_id, l.instrument_id, l.price_divisor, l.price_unit, l.currency, m.time_zone, n.isin
  FROM refdata_listing l JOIN refdata_instrument n ON n.id = l.instrument_id JOIN refdata_market m ON m.mic = l.market_id
 WHERE n.isin = ANY(%s) OR l.symbol = ANY(%s) OR l.venue_symbol = ANY(%s)
    OR l.id IN (SELECT listing_id FROM refdata_formername f
                 WHERE f.valid_until > %s AND (f.isin = ANY(%s) OR f.symbol = ANY(%s) OR f.venue_symbol = ANY(%s)))
"""
_FORMER = """
SELECT f.isin, f.symbol, f.venue_symbol, l.market_id, l.instrument_id, l.price_divisor, l.price_unit, l.currency, m.time_zone, n.isin
  FROM refdata_formername f JOIN refdata_listing l ON l.id = f.listing_id JOIN refdata_market m ON m.mic = l.market_id
  JOIN refdata_instrument n ON n.id = l.instrument_id
 WHERE f.valid_until > %s AND (f.isin = ANY(%s) OR f.symbol = ANY(%s) OR f.venue_symbol = ANY(%s))
"""


@dataclass(frozen=True, slots=True)
class Alternates:
    """What a source is declared to call ours: word -> our word, by what it names."""

    accounts: dict[str, str]
    instruments: dict[str, str]
    orders: dict[str, str]
    executions: dict[str, str]


@dataclass(frozen=True, slots=True)
class NamedInstrument:
    """An instrument on the market it was named on; the market's own facts where several listings fit equally."""

    instrument_id: UUID
    isin: str
    mic: str
    divisor: int
    price_unit: str
    currency: str
    time_zone: str


Wanted = tuple[str, str, str]
"""ISIN, symbol and MIC as a row says them; empty where it does not."""


def load_alternates(cursor: Any, source: str) -> Alternates:
    """The newest version of each, without those that stand no longer."""
    cursor.execute(_ALTERNATES, [source])
    found: dict[str, dict[str, str]] = {what: {} for what in OutsideName.What.values}
    for what, theirs, ours in cursor.fetchall():
        if ours:
            found[what][theirs] = ours
    return Alternates(*(found[what] for what in ("account", "instrument", "order", "execution")))


def find_accounts(cursor: Any, names: Collection[str], alternates: Alternates) -> dict[str, UUID]:
    """The account of each name; names of nobody are absent."""
    wanted = {name: alternates.accounts.get(name, name) for name in names if name}
    cursor.execute(_ACCOUNTS, [sorted({*wanted, *wanted.values()})])
    by_code = dict(cursor.fetchall())
    return {name: by_code[code] for name in wanted for code in (name, wanted[name]) if code in by_code}


def find_instruments(
    cursor: Any, wanted: Iterable[Wanted], alternates: Alternates, day: date
) -> dict[Wanted, NamedInstrument]:
    """The instrument of each set of names; those that name none, or contradict each other, are absent."""
    asked = {one: _translated(one, alternates) for one in wanted if one[0] or one[1]}
    isins = sorted({isin for isin, _, _ in asked.values() if isin})
    symbols = sorted({symbol for _, symbol, _ in asked.values() if symbol})
    cursor.execute(_LISTINGS, [isins, symbols, symbols, day, isins, symbols, symbols])
    listed = cursor.fetchall()
    cursor.execute(_FORMER, [day, isins, symbols, symbols])
    rows = [*listed, *cursor.fetchall()]
    by_isin: dict[str, list[Any]] = {}
    by_symbol: dict[str, list[Any]] = {}
    for row in rows:
        by_isin.setdefault(row[0], []).append(row)
        for name in {row[1], row[2]}:
            by_symbol.setdefault(name, []).append(row)
    found = {}
    for one, names in asked.items():
        named = _choose(names, by_isin, by_symbol)
        if named is not None:
            found[one] = named
    return found


def _translated(one: Wanted, alternates: Alternates) -> Wanted:
    """A declared alternate names an ISIN; it takes the place of the word it stands for."""
    isin, symbol, mic = one
    for word in (symbol, isin):
        if word and word in alternates.instruments:
            return alternates.instruments[word], "", mic
    return one


def _choose(names: Wanted, by_isin: dict[str, list[Any]], by_symbol: dict[str, list[Any]]) -> NamedInstrument | None:
    isin, symbol, mic = names
    rows = by_isin.get(isin, []) if isin else by_symbol.get(symbol, [])
    if isin and symbol and (exact := [row for row in rows if symbol in (row[1], row[2])]):
        rows = exact
    if not isin and len({row[4] for row in rows}) > 1:
        typed = [row for row in rows if row[1] == symbol]  # as typed at the desk it is unique
        rows = [row for row in rows if row[3] == mic] if mic else typed
    if mic and (there := [row for row in rows if row[3] == mic]):
        rows = there
    if not rows or len({row[4] for row in rows}) > 1:
        return None
    first = rows[0]
    return NamedInstrument(first[4], first[9], first[3], first[5], first[6], first[7], first[8])
