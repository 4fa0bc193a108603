"""Past decisions with what they saw, newest first and by key: what a draft rule or limit is tried on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from journal.bulk import raw_cursor

_PAGE = """
SELECT r.id, r.captured_at, o.ref, o.trade_date, d.code, a.code, o.instrument_snapshot ->> 'symbol', r.decision::text,
       CASE WHEN r.checks @> '[{"verdict": "refuse"}]' THEN 3 WHEN r.checks @> '[{"verdict": "authorise"}]' THEN 2
            WHEN r.checks @> '[{"verdict": "acknowledge"}]' THEN 1 ELSE 0 END
  FROM orders_orderrequest r
  JOIN orders_order o ON o.id = r.order_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id
  JOIN authorisation_desk d ON d.id = o.desk_id
 WHERE (%(before)s::uuid IS NULL OR r.id < %(before)s::uuid) AND r.id >= %(oldest)s
   AND r.kind <> 'cancel' AND r.captured_at >= %(since)s
   AND o.desk_id = ANY(%(desks)s::bigint[]) AND a.group_id = ANY(%(groups)s::bigint[])
 ORDER BY r.id DESC LIMIT %(limit)s
"""


class Decision(NamedTuple):
    """One request that was judged. ``worst`` is the worst answer it got, as a number (0 passed, 3 refused)."""

    request_id: UUID
    captured_at: datetime
    ref: str
    trade_date: date
    desk: str
    account: str
    symbol: str
    kept: dict[str, Any] | None
    worst: int


def list_decisions(
    *, desks: Collection[int], groups: Collection[int], since: datetime, before: UUID | None, limit: int
) -> list[Decision]:
    """One page of the requests of these desks and account groups since a time, from ``before`` backwards."""
    values = {
        "before": before,
        "since": since,
        "oldest": _oldest(since),
        "desks": sorted(desks),
        "groups": sorted(groups),
        "limit": limit,
    }
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_PAGE, values)
        return [
            Decision._make((*row[:7], orjson.loads(row[7]) if row[7] is not None else None, row[8]))
            for row in cursor.fetchall()
        ]


def _oldest(since: datetime) -> UUID:
    """No id made a day before ``since`` or later is below it: ids rise with the clock that made them."""
    return UUID(int=int((since - timedelta(days=1)).timestamp() * 1000) << 80)
