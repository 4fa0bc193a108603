"""An execution of ours as one line, as SQL, in the spelling of a file: of one record at a time, and of all of a day at once.

Both say the same. What all executions in one listing say alike is written once for it where all are written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby
from typing import Final

from reconciliation.domain.records import Type
from reconciliation.formats.spelling import Spelled, Spelling
from reconciliation.formats.words import TRADE

_TEXTS: Final = {
    "exec_id": "x.exec_id",
    "cl_ord_id": "x.cl_ord_id",
    "venue_order_id": "o.venue_order_id",
    "account": "a.code",
    "isin": "n.isin",
    "symbol": "l.symbol",
    "mic": "l.market_id",
    "currency": "l.currency",
}
_OTHERS: Final = {
    "side": "CASE WHEN x.side BETWEEN '0' AND '9' THEN x.side END",
    "exec_type": f"'{TRADE}'",
    "last_qty": "x.effective_qty",
    "last_px": "x.effective_px",
    "trade_date": "x.trade_date",
    "settlement_date": "x.settlement_date",
    "transact_time": "x.event_at AT TIME ZONE 'UTC'",
    "commission": "coalesce(c.commission, 0)::numeric(24, 8)",
    "fees": "coalesce(c.fees, 0)::numeric(24, 8)",
}
_UNITS: Final = {0: "second", 3: "milliseconds"}
_DIGITS: Final = {0: "", 3: ".MS", 6: ".US"}
_CHARGED: Final = {"commission", "fees"}
CHARGES = """
  LEFT JOIN LATERAL (
    SELECT coalesce(-sum(b.amount) FILTER (WHERE b.kind = 'commission'), 0) AS commission,
           coalesce(-sum(b.amount) FILTER (WHERE b.kind IN ('fee', 'tax')), 0) AS fees
      FROM accounts_booking b WHERE b.order_id = x.order_id AND b.execution_id = x.id) c ON true
"""
"""What was booked as charges of one execution."""
_CHARGES_OF_DAY = """
  LEFT JOIN (
    SELECT b.execution_id, -sum(b.amount) FILTER (WHERE b.kind = 'commission') AS commission,
           -sum(b.amount) FILTER (WHERE b.kind IN ('fee', 'tax')) AS fees
      FROM accounts_booking b
     WHERE b.trade_date = %(as_of)s AND b.execution_id IS NOT NULL AND b.kind IN ('commission', 'fee', 'tax')
     GROUP BY b.execution_id) c ON c.execution_id = x.id
"""
_OURS = """
  FROM orders_execution x
  JOIN orders_order o ON o.id = x.order_id
  JOIN refdata_listing l ON l.id = o.listing_id
  JOIN refdata_instrument n ON n.id = l.instrument_id
  JOIN refdata_market m ON m.mic = l.market_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id {charges}
 WHERE x.trade_date = %(as_of)s AND (%(markets)s::text[] IS NULL OR l.market_id = ANY(%(markets)s))
"""
OURS = _OURS.format(charges="")
"""Every execution of the day."""
_ALL = """
SELECT {line}
  FROM orders_execution x
  JOIN orders_order o ON o.id = x.order_id
  JOIN (
    SELECT l.id, l.market_id, m.time_zone{parts}
      FROM refdata_listing l JOIN refdata_instrument n ON n.id = l.instrument_id JOIN refdata_market m ON m.mic = l.market_id
    OFFSET 0) m ON m.id = o.listing_id
  {more}
 WHERE x.trade_date = %(as_of)s AND (%(markets)s::text[] IS NULL OR m.market_id = ANY(%(markets)s))
"""
_ACCOUNTS = "JOIN accounts_tradingaccount a ON a.id = o.account_id"
_SAID_THERE = "CASE WHEN (x.event_at AT TIME ZONE m.time_zone)::date = x.trade_date THEN '' END"
_READABLE = "CASE WHEN NOT l.id = ANY(%(unreadable)s) THEN '' END"


class _Of(Enum):
    """Whose a piece of a line is: the same in every line, in every line of a listing, or a record's own."""

    ALL = auto()
    LISTING = auto()
    RECORD = auto()


_OF: Final = {"exec_type": _Of.ALL, **dict.fromkeys(("isin", "symbol", "mic", "currency"), _Of.LISTING)}


@dataclass(frozen=True, slots=True)
class TradeLine:
    """``one``: an expression over ``ours``, the executions of the day. ``all``: a statement that gives every line of it."""

    one: str
    ours: str
    all: str


def lines_of(spelling: Spelling, *, unreadable: bool) -> list[TradeLine]:
    """One for each way a listing may be called; none where the file says what we do not write."""
    said = {one.name for one in spelling.columns if one.said}
    if not said <= {*_TEXTS, *_OTHERS}:
        return []
    dated = "trade_date" in said or "transact_time" not in said
    guards = [*([] if dated else [(_Of.RECORD, _SAID_THERE)]), *([(_Of.LISTING, _READABLE)] if unreadable else [])]
    symbols = ("l.symbol", "l.venue_symbol") if "symbol" in said else ("",)
    return [_line([*_pieces(spelling, symbol), *guards], said) for symbol in symbols]


def _pieces(spelling: Spelling, symbol: str) -> Iterator[tuple[_Of, str]]:
    """Values and what stands between them, each with what it is said of."""
    for at, one in enumerate(spelling.columns):
        if at:
            yield _Of.ALL, f"'{spelling.delimiter}'"
        if one.said:
            yield _OF.get(one.name, _Of.RECORD), _cell(one, symbol)


def _line(pieces: Sequence[tuple[_Of, str]], said: Collection[str]) -> TradeLine:
    """Neighbours that no record says otherwise than another in its listing are one text, written once a listing."""
    one: list[str] = []
    whole: list[str] = []
    parts: list[str] = []
    for of_record, found in groupby(pieces, key=lambda piece: piece[0] is _Of.RECORD):
        run = list(found)
        text = f"({' || '.join(sql for _, sql in run)})"
        one.append(text)
        if not of_record and any(of is _Of.LISTING for of, _ in run):
            parts.append(f", {text} AS part_{len(parts)}")
            text = f"m.part_{len(parts) - 1}"
        whole.append(text)
    charged = not _CHARGED.isdisjoint(said)
    more = (_ACCOUNTS if "account" in said else "") + (_CHARGES_OF_DAY if charged else "")
    every = _ALL.format(line=" || ".join(whole), parts="".join(parts), more=more)
    return TradeLine(" || ".join(one), _OURS.format(charges=CHARGES if charged else ""), every)


def _cell(one: Spelled, symbol: str) -> str:
    """NULL, and with it the whole line, where we have nothing to say in a column in which the file says something."""
    if one.name in _TEXTS:
        return f"nullif({symbol if one.name == 'symbol' else _TEXTS[one.name]}, '')"
    value = _OTHERS[one.name]
    if one.type is Type.AMOUNT:
        return _amount(value, one.decimals)
    return _instant(value, one) if one.type is Type.INSTANT else f"({value})::text"


def _amount(value: str, decimals: int | None) -> str:
    if decimals is None:
        return f"trim_scale({value})::text"
    if decimals >= 8:
        return f"{value}::text"
    return f"CASE WHEN {value} = round({value}, {decimals}) THEN round({value}, {decimals})::text END"


def _instant(value: str, one: Spelled) -> str:
    """With as many digits as the file has, where these are all there are."""
    said = {
        digits: f'to_char({value}, \'YYYY-MM-DD"{one.between}"HH24:MI:SS{_DIGITS[digits]}"{one.zone}"\')'
        for digits in one.fractions
    }
    exact = [
        f"WHEN date_trunc('{_UNITS[digits]}', {value}) = {value} THEN {text}"
        for digits, text in said.items()
        if digits in _UNITS
    ]
    whole = said.get(6, "NULL")
    return f"CASE {' '.join(exact)} ELSE {whole} END" if exact else whole
