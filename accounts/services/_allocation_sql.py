"""Shares of blocks set-based: balances moved by one statement each, bookings written where they are added up.

Values travel as arrays, one a column; nothing is read one by one but balances that fall below what is held or come back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.allocating import AllocationEvent, AllocationMove, Sum
from accounts.domain.fees import Charge
from accounts.domain.ledger import Shortfall
from journal.bulk import raw_cursor
from journal.domain.pg_text import array_literal
from kernel.errors import InvariantBroken

_LEG = {True: "short", False: "pending"}
_OVERDRAWN = """
SELECT account_id, overdrawn_by_event FROM {table}
 WHERE account_id = ANY(%(accounts)s::uuid[]) AND {named} = %(what)s AND overdrawn_by_event IS NOT NULL
"""
_MOVE = """
WITH moved AS (
     UPDATE {table} t SET {leg} = t.{leg} + v.amount,
            overdrawn_by_event = CASE WHEN t.settled + t.pending - t.reserved + {counts} >= 0 THEN NULL
                                      ELSE coalesce(t.overdrawn_by_event, v.event_id) END
       FROM unnest(%(accounts)s::uuid[], %(amounts)s::numeric[], %(events)s::uuid[]) AS v(account_id, amount, event_id)
      WHERE t.account_id = v.account_id AND t.{named} = %(what)s
  RETURNING t.account_id, t.settled + t.pending - t.reserved AS available, t.overdrawn_by_event AS mark
)
SELECT account_id, available, mark FROM moved
 WHERE mark IS NOT NULL OR account_id = ANY(%(overdrawn)s::uuid[])
 UNION ALL
SELECT NULL, count(*), NULL FROM moved
"""
_BOOK_MOVES = """
WITH v AS (
     SELECT * FROM unnest(%(allocations)s::uuid[], %(accounts)s::uuid[], %(cash)s::numeric[], %(units)s::numeric[])
              WITH ORDINALITY AS v(allocation_id, account_id, cash, units, place)
)
INSERT INTO accounts_booking (account_id, event_id, allocation_id, kind, charge, layer, currency, instrument_id, amount,
                              trade_date, settlement_date, recorded_at)
SELECT account_id, %(event)s::uuid, allocation_id, %(kind)s::text, '', layer, currency, instrument_id, amount, %(dated)s::date,
       %(settles)s::date, %(at)s::timestamptz
  FROM (SELECT place, account_id, allocation_id, 'pending' AS layer, %(currency)s::text AS currency, NULL::uuid AS instrument_id,
               cash AS amount FROM v WHERE cash <> 0
         UNION ALL
        SELECT place, account_id, allocation_id, %(leg)s::text, '', %(instrument)s::uuid, {units} FROM v WHERE units <> 0) rows
 ORDER BY place, currency
"""
_BOOK_CHARGES = """
INSERT INTO accounts_booking (account_id, event_id, allocation_id, kind, charge, layer, currency, instrument_id, amount,
                              trade_date, settlement_date, recorded_at)
SELECT account_id, %(event)s::uuid, allocation_id, kind, charge, 'pending', %(currency)s::text, NULL, -amount, %(dated)s::date,
       %(settles)s::date, %(at)s::timestamptz
  FROM unnest(%(allocations)s::uuid[], %(accounts)s::uuid[], %(kinds)s::text[], %(charges)s::text[], %(amounts)s::numeric[])
       WITH ORDINALITY AS v(allocation_id, account_id, kind, charge, amount, place)
 ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class Balances:
    """Which balances move: of cash in a currency, or of stock in an instrument, there the long or the short leg."""

    table: str
    named: str
    what: str | UUID
    short: bool = False

    @property
    def leg(self) -> str:
        return _LEG[self.short]


def cash_in(currency: str) -> Balances:
    """Cash balances of one currency."""
    return Balances("accounts_cashbalance", "currency", currency)


def stock_in(instrument_id: UUID, *, short: bool) -> Balances:
    """Holdings of one instrument; ``short``: its short leg moves."""
    return Balances("accounts_holding", "instrument_id", instrument_id, short)


def move_balances(which: Balances, sums: Mapping[UUID, Sum]) -> list[Shortfall]:
    """Move each account's balance, all of which are locked; those that fell below what is held (negative) or came back."""
    if not sums:
        return []
    names = {"table": which.table, "named": which.named, "leg": which.leg}
    counts = "0" if which.short else "v.amount"
    accounts = array_literal("uuid", list(sums))
    values = {
        "accounts": accounts,
        "amounts": array_literal("numeric", [_signed(which, one.amount) for one in sums.values()]),
        "events": array_literal("uuid", [one.event_id for one in sums.values()]),
        "what": which.what,
    }
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_OVERDRAWN.format(**names), values)
        before = {account_id for account_id, _ in cursor.fetchall()}
        values["overdrawn"] = array_literal("uuid", sorted(before))
        cursor.execute(_MOVE.format(**names, counts=counts), values)
        rows = cursor.fetchall()
    if rows.pop()[1] != len(sums):
        raise InvariantBroken("BALANCE_LOST", "A locked balance row was not there to be written.")
    turned = []
    for account_id, available, mark in rows:
        if (mark is not None) != (account_id in before):
            turned.append(_shortfall(which, account_id, available, sums[account_id].event_id))
    return turned


def _signed(which: Balances, amount: Decimal) -> Decimal:
    """The short leg counts what was sold and not bought back."""
    return -amount if which.short else amount


def _shortfall(which: Balances, account_id: UUID, available: Decimal, event_id: UUID) -> Shortfall:
    if isinstance(which.what, str):
        return Shortfall(account_id, which.what, None, available, event_id)
    return Shortfall(account_id, "", which.what, available, event_id)


def write_bookings(event: AllocationEvent, *, at: datetime) -> None:
    """A booking for the cash, the units and each charge of every move, then the ones of the account that gave."""
    shared = {
        "event": event.event_id,
        "kind": event.kind,
        "currency": event.currency,
        "instrument": event.instrument_id,
        "leg": _LEG[event.side.is_short],
        "dated": event.trade_date,
        "settles": event.settlement_date,
        "at": at,
    }
    given = event.given
    charged = [(move, charge) for move in event.moves for charge in move.charges]
    units = "-units" if event.side.is_short else "units"
    gives_on = event.gives_on or event.settlement_date
    both = [(event.settlement_date, (*event.moves, given))]
    if gives_on != event.settlement_date:
        both = [(event.settlement_date, tuple(event.moves)), (gives_on, (given,))]
    with raw_cursor() as cursor:
        for settles, moves in both:
            cursor.execute(
                _BOOK_MOVES.format(units=units),
                shared
                | {
                    "settles": settles,
                    "allocations": array_literal(
                        "uuid", [None if move is given else move.allocation_id for move in moves]
                    ),
                    "accounts": array_literal("uuid", [move.account_id for move in moves]),
                    "cash": array_literal("numeric", [move.cash for move in moves]),
                    "units": array_literal("numeric", [move.qty for move in moves]),
                },
            )
        if charged:
            cursor.execute(_BOOK_CHARGES, shared | _charge_columns(charged))


def _charge_columns(charged: Sequence[tuple[AllocationMove, Charge]]) -> dict[str, str]:
    return {
        "allocations": array_literal("uuid", [move.allocation_id for move, _ in charged]),
        "accounts": array_literal("uuid", [move.account_id for move, _ in charged]),
        "kinds": array_literal("text", [charge.kind for _, charge in charged]),
        "charges": array_literal("text", [charge.name for _, charge in charged]),
        "amounts": array_literal("numeric", [charge.amount for _, charge in charged]),
    }
