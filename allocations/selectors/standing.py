"""Which standing instruction counts for an account, market, currency and settlement date; and which open instructions differ.

Of a scope (account, market or any, currency) the newest version in force on the date; one that ended its scope gives none. That
of the market comes before that of any market.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Max

from allocations.domain import transitions as moves
from allocations.models import SettlementInstruction, StandingInstruction
from journal.bulk import raw_cursor

_IN_FORCE = """
SELECT i.id, s.id, l.market_id
  FROM allocations_settlementinstruction i
  JOIN allocations_allocation a ON a.id = i.allocation_id
  JOIN allocations_block b ON b.id = a.block_id
  JOIN refdata_listing l ON l.id = b.listing_id
  LEFT JOIN LATERAL (
       SELECT v.id, v.mic FROM (
              SELECT DISTINCT ON (o.mic) o.id, o.mic, o.ended FROM allocations_standinginstruction o
               WHERE o.account_id = i.account_id AND o.currency = i.currency AND o.mic IN ('', l.market_id)
                 AND o.effective_from <= i.settlement_date
                 AND (o.effective_to IS NULL OR o.effective_to >= i.settlement_date)
               ORDER BY o.mic, o.version DESC) v
        WHERE NOT v.ended ORDER BY v.mic DESC LIMIT 1) s ON true
 WHERE i.id = ANY(%s::uuid[])
"""


def standing_of(instruction_ids: Sequence[UUID]) -> dict[UUID, tuple[int | None, str]]:
    """By instruction: the standing instruction in force on its settlement date (None where there is none), and its market."""
    if not instruction_ids:
        return {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_IN_FORCE, [list(instruction_ids)])
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def standing_named(row: SettlementInstruction) -> StandingInstruction | None:
    """By which it would leave now; it may differ from the one by which it left."""
    found = standing_of([row.id])[row.id][0]
    return StandingInstruction.objects.get(pk=found) if found is not None else None


def newest_version(account_id: UUID, mic: str, currency: str) -> int:
    """The number of the newest version of a scope; 0 where there is none."""
    rows = StandingInstruction.objects.filter(account_id=account_id, mic=mic, currency=currency)
    return rows.aggregate(newest=Max("version"))["newest"] or 0


def differing_open(account_id: UUID, currency: str) -> list[str]:
    """Refs of instructions that were sent, are not over, and that the standing instructions of now would settle elsewhere."""
    over = (moves.WAITING, moves.SETTLED, moves.CANCELED)
    rows = SettlementInstruction.objects.filter(account_id=account_id, currency=currency).exclude(state__in=over)
    open_ones = {row.id: row for row in rows.order_by("ref")}
    wanted = standing_of(list(open_ones))
    return [row.ref for key, row in open_ones.items() if wanted[key][0] != row.standing_id]
