"""Shares of blocks set-based: balances moved by one statement each, bookings written where they are added up.

Balances travel as arrays, one a column, and bookings by COPY; nothing is read back but balances that fall below what is held or come
back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.allocating import AllocationEvent, AllocationMove, Sum
from accounts.domain.fees import Charge
from accounts.domain.ledger import Shortfall
from accounts.models import Booking
from journal.bulk import raw_cursor, write_text
from journal.domain.pg_text import array_literal, copy_text
from kernel.errors import InvariantBroken
from kernel.texts import id_text, utc_text

_LEG = {True: "short", False: "pending"}
SLICE = 1000
_NULL = "\\N"
_MOVE = """
WITH v AS (
     SELECT * FROM unnest(%(accounts)s::uuid[], %(amounts)s::numeric[], %(events)s::uuid[]) AS v(account_id, amount, event_id)
), before AS (
     SELECT account_id FROM {table} WHERE account_id = ANY(%(accounts)s::uuid[]) AND {named} = %(what)s AND overdrawn_by_event IS NOT NULL
), moved AS (
     UPDATE {table} t SET {leg} = t.{leg} + v.amount,
            overdrawn_by_event = CASE WHEN t.settled + t.pending - t.reserved + {counts} >= 0 THEN NULL
                                      ELSE coalesce(t.overdrawn_by_event, v.event_id) END
       FROM v WHERE t.account_id = v.account_id AND t.{named} = %(what)s
  RETURNING t.account_id, t.settled + t.pending - t.reserved AS available, t.overdrawn_by_event AS mark
), opened AS (
     INSERT INTO {table} (account_id, {named}, settled, reserved, {leg}, overdrawn_by_event{more})
     SELECT v.account_id, %(what)s, 0, 0, v.amount, CASE WHEN {counts} >= 0 THEN NULL ELSE v.event_id END{zeros}
       FROM v WHERE NOT EXISTS (SELECT FROM moved m WHERE m.account_id = v.account_id) ORDER BY v.account_id
  RETURNING account_id, settled + pending - reserved AS available, overdrawn_by_event AS mark
), done AS (
     SELECT * FROM moved UNION ALL SELECT * FROM opened
)
SELECT d.account_id, d.available FROM done d LEFT JOIN before b ON b.account_id = d.account_id
 WHERE (d.mark IS NULL) = (b.account_id IS NOT NULL)
 UNION ALL
SELECT NULL, count(*) FROM done
"""
_FIELDS = (
    "account_id", "event_id", "allocation_id", "kind", "charge", "layer", "currency", "instrument_id", "amount", "trade_date",
    "settlement_date", "recorded_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Balances:
    """Which balances move: of cash in a currency, or of stock in an instrument, there the long or the short leg."""

    table: str
    named: str
    what: str | UUID
    legs: tuple[str, ...]
    short: bool = False

    @property
    def leg(self) -> str:
        return _LEG[self.short]


def cash_in(currency: str) -> Balances:
    """Cash balances of one currency."""
    return Balances("accounts_cashbalance", "currency", currency, ("pending",))


def stock_in(instrument_id: UUID, *, short: bool) -> Balances:
    """Holdings of one instrument; ``short``: its short leg moves."""
    return Balances("accounts_holding", "instrument_id", instrument_id, ("pending", "short"), short)


def move_balances(which: Balances, sums: Sequence[Sum]) -> list[Shortfall]:
    """Move each account's balance, all of which are locked, and open what an account never had; those that fell below what is held
    (negative) or came back."""
    if not sums:
        return []
    counts = "0" if which.short else "v.amount"
    others = [leg for leg in which.legs if leg != which.leg]
    sql = _MOVE.format(
        table=which.table, named=which.named, leg=which.leg, counts=counts, more="".join(f", {leg}" for leg in others),
        zeros=", 0" * len(others),
    )  # fmt: skip
    values = {
        "accounts": array_literal("uuid", [one.account_id for one in sums]),
        "amounts": array_literal("numeric", [_signed(which, one.amount) for one in sums]),
        "events": array_literal("uuid", [one.event_id for one in sums]),
        "what": which.what,
    }
    with raw_cursor(binary=True) as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    if rows.pop()[1] != len(sums):
        raise InvariantBroken("BALANCE_LOST", "A locked balance row was not there to be written.")
    by_event = {one.account_id: one.event_id for one in sums} if rows else {}
    return [_shortfall(which, account_id, available, by_event[account_id]) for account_id, available in rows]


def _signed(which: Balances, amount: Decimal) -> Decimal:
    """The short leg counts what was sold and not bought back."""
    return -amount if which.short else amount


def _shortfall(which: Balances, account_id: UUID, available: Decimal, event_id: UUID) -> Shortfall:
    if isinstance(which.what, str):
        return Shortfall(account_id, which.what, None, available, event_id)
    return Shortfall(account_id, "", which.what, available, event_id)


def write_bookings(events: Sequence[AllocationEvent], *, at: datetime) -> None:
    """A booking for the units, the cash and each charge of every move, then the ones of the account that gave. One COPY."""
    write_text(Booking, (lines for event in events for lines in _bookings_of(event, at)), fields=_FIELDS)


def _bookings_of(event: AllocationEvent, at: datetime) -> Iterator[str]:
    """What all get, then what the account of the block gives, on a settlement date of its own."""
    yield from _bookings(event, event.moves, event.settlement_date, at)
    yield from _bookings(event, [event.given], event.gives_on or event.settlement_date, at)


def _bookings(event: AllocationEvent, moves: Sequence[AllocationMove], settles: date, at: datetime) -> Iterator[str]:
    """COPY lines of a thousand moves at a time. All columns but account, allocation and amount are one of a few pieces of text."""
    is_short, event_id = event.side.is_short, id_text(event.event_id)
    dated = f"\t{event.trade_date}\t{settles}\t{utc_text(at)}\n"
    kind, currency = copy_text(event.kind), copy_text(event.currency)
    units = f"{kind}\t\t{_LEG[is_short]}\t\t{id_text(event.instrument_id)}\t"
    cash = f"{kind}\t\tpending\t{currency}\t\\N\t"
    charged: dict[tuple[Charge, ...], list[str]] = {(): []}
    for start in range(0, len(moves), SLICE):
        found: list[str] = []
        for allocation_id, account_id, qty, money, charges in moves[start : start + SLICE]:
            head = f"{id_text(account_id)}\t{event_id}\t{id_text(allocation_id) if allocation_id else _NULL}\t"
            if qty:
                found.append(f"{head}{units}{-qty if is_short else qty}{dated}")
            if money:
                found.append(f"{head}{cash}{money}{dated}")
            costs = charged.get(charges)
            if costs is None:
                costs = charged[charges] = [
                    f"{copy_text(what)}\t{copy_text(name)}\tpending\t{currency}\t\\N\t{-amount}{dated}"
                    for what, name, _, amount in charges
                ]
            found += [head + cost for cost in costs]
        yield "".join(found)
