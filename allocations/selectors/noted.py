"""Which trades a note should tell of, and which it tells of: the sets that issuing, watching and proving compare.

A note is for clients: accounts that the house keeps for itself (wash, rounding, error, suspense, canary) get none. A trade that
was undone after it settled stands, and so does the one that undoes it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from journal.bulk import raw_cursor

CLIENTS = """
    NOT a.is_rounding
    AND NOT EXISTS (SELECT FROM allocations_washaccount w
                     WHERE a.account_id IN (w.account_id, w.rounding_account_id, w.error_account_id))
    AND NOT EXISTS (SELECT FROM accounts_suspenseaccount s WHERE s.account_id = a.account_id)
    AND NOT EXISTS (SELECT FROM accounts_canaryaccount c WHERE c.account_id = a.account_id)"""
STANDING = "a.state IN ('booked', 'compensated')"
NOTED = """EXISTS (SELECT FROM allocations_contractnote_allocations t JOIN allocations_contractnote n ON n.id = t.contractnote_id
                 WHERE t.allocation_id = a.id AND n.state = 'issued' AND n.cancels_id IS NULL{more})"""
_OPEN = "('forming', 'ready', 'changed')"
_WITHOUT = f"""
SELECT a.account_id, a.trade_date, l.market_id, min(a.settlement_date),
       EXISTS (SELECT FROM allocations_block w JOIN refdata_listing m ON m.id = w.listing_id
                WHERE w.trade_date = a.trade_date AND m.market_id = l.market_id AND w.qty > 0 AND w.state IN {_OPEN}
                  AND (w.kind = 'block' OR w.account_id = a.account_id)), max(a.booked_at)
  FROM allocations_allocation a JOIN allocations_block b ON b.id = a.block_id JOIN refdata_listing l ON l.id = b.listing_id
 WHERE (a.trade_date >= %(since)s OR a.booked_at >= %(since)s::date) AND {STANDING} AND {CLIENTS} AND NOT {NOTED.format(more="")}
   AND (%(mic)s::text IS NULL OR l.market_id = %(mic)s) AND (%(day)s::date IS NULL OR a.trade_date = %(day)s)
 GROUP BY a.account_id, a.trade_date, l.market_id
 ORDER BY a.trade_date, l.market_id, a.account_id LIMIT %(most)s
"""  # noqa: S608
_STALE = """
SELECT DISTINCT account_id, trade_date, mic FROM allocations_contractnote
 WHERE stale_at <= %s AND state = 'issued' AND scope = 'day' ORDER BY trade_date, mic, account_id LIMIT %s
"""
_STANDS = f"""
SELECT a.account_id, a.trade_date, l.market_id, a.id
  FROM unnest(%s::uuid[], %s::date[], %s::text[]) AS k(account_id, trade_date, mic)
  JOIN allocations_allocation a ON a.account_id = k.account_id AND a.trade_date = k.trade_date
  JOIN allocations_block b ON b.id = a.block_id JOIN refdata_listing l ON l.id = b.listing_id AND l.market_id = k.mic
 WHERE {STANDING} AND {CLIENTS} AND NOT {NOTED.format(more=" AND n.scope = 'trade'")}
 ORDER BY a.number
"""  # noqa: S608
_TELLS = """
SELECT contractnote_id, array_agg(allocation_id) FROM allocations_contractnote_allocations
 WHERE contractnote_id = ANY(%s::uuid[]) GROUP BY contractnote_id
"""


class NoteKey(NamedTuple):
    """Whose day a note is of."""

    account_id: UUID
    trade_date: date
    mic: str


@dataclass(frozen=True, slots=True)
class Unnoted:
    """An account with trades of a day on a market that no note tells of. ``waits``: a block may still change what it got;
    ``moved_at``: when the newest of them was booked."""

    key: NoteKey
    settlement_date: date
    waits: bool
    moved_at: datetime


def list_unnoted(*, since: date, most: int, mic: str | None = None, day: date | None = None) -> list[Unnoted]:
    """Accounts whose trades no live note tells of, oldest first: those of a day or later, and those booked since, however old they are."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_WITHOUT, {"since": since, "most": most, "mic": mic, "day": day})
        return [Unnoted(NoteKey(row[0], row[1], row[2]), *row[3:]) for row in cursor.fetchall()]


def list_stale(*, by: datetime, most: int) -> list[NoteKey]:
    """Whose day's note tells of a trade that was undone until then."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_STALE, [by, most])
        return [NoteKey(*row) for row in cursor.fetchall()]


def standing_of(keys: Sequence[NoteKey]) -> dict[NoteKey, list[UUID]]:
    """What the day's note of each key should tell of: trades that stand and have no note of their own."""
    found: dict[NoteKey, list[UUID]] = {key: [] for key in keys}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_STANDS, [list(column) for column in zip(*keys, strict=True)] if keys else [[], [], []])
        for account_id, day, mic, allocation_id in cursor.fetchall():
            found[NoteKey(account_id, day, mic)].append(allocation_id)
    return found


def told_by(note_ids: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The trades that each note tells of."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_TELLS, [sorted(note_ids)])
        return {row[0]: frozenset(row[1]) for row in cursor.fetchall()}


def successor_of(allocation_id: UUID) -> UUID | None:
    """The standing allocation of the same account in the same block, if there is one: a later round's, or itself."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT a.id FROM allocations_allocation o JOIN allocations_allocation a ON a.block_id = o.block_id "
            "AND a.account_id = o.account_id AND a.is_rounding = o.is_rounding AND a.round >= o.round "
            "AND a.compensates_id IS NOT DISTINCT FROM o.compensates_id "
            "WHERE o.id = %s AND a.state IN ('booked', 'compensated') ORDER BY a.round DESC LIMIT 1",
            [allocation_id],
        )
        row = cursor.fetchone()
        return row[0] if row else None


__all__ = ["NoteKey", "Unnoted", "list_stale", "list_unnoted", "standing_of", "successor_of", "told_by"]
