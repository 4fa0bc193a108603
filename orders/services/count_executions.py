"""Sweeper: a strategy or source that trades again and again without a person's word stops until a named person lets it go on.

Counted are executions of orders that no person entered one by one (every door but the ticket and the phone), by strategy where
the order names one, else by who sent it, since the window began or since the source was last let go on, whichever is
later. A stop blocks new orders and replaces that add risk in its scope; a second person releases it as any stop.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from authorisation.domain.principal import process_principal
from journal.bulk import raw_cursor
from kernel.ids import first_id_of
from risk.domain.rates import RateKind, mark_for
from risk.models import Scope
from risk.selectors.rates import read_marks
from risk.services.stop_source import last_released, stop_source

ACTOR = process_principal("executions")
TAIL = 20_000
BY_HAND = ("ticket", "phone", "venue")
CLOCKS = timedelta(minutes=1)  # ids are made by the clocks of several machines
LONGEST = timedelta(minutes=10)
_COUNT = """
SELECT CASE WHEN o.strategy <> '' THEN 'strategy' ELSE 'dealer' END AS scope,
       CASE WHEN o.strategy <> '' THEN o.strategy ELSE o.owner_id::text END AS scope_id,
       array_agg(x.recorded_at)
  FROM (SELECT order_id, recorded_at FROM orders_execution WHERE id >= %s AND recorded_at > %s
         ORDER BY id DESC LIMIT %s) x
  JOIN orders_order o ON o.id = x.order_id
 WHERE o.source <> ALL(%s::text[])
 GROUP BY 1, 2
"""


def count_executions(*, at: datetime) -> int:
    """How many sources it stopped."""
    marks = read_marks()
    longest = max(
        [mark_for((), RateKind.EXECUTIONS, "", at).seconds]
        + [mark.seconds for mark in marks if mark.kind is RateKind.EXECUTIONS]
    )
    since = at - min(timedelta(seconds=longest), LONGEST)
    with raw_cursor() as cursor:
        cursor.execute(_COUNT, [first_id_of(since - CLOCKS), since, TAIL, list(BY_HAND)])
        found = cursor.fetchall()
    released = last_released(since=since) if found else {}
    stopped = 0
    for scope, scope_id, times in found:
        mark = mark_for(marks, RateKind.EXECUTIONS, f"{scope}:{scope_id}", at)
        begin = max(at - timedelta(seconds=mark.seconds), released.get((scope, scope_id), since))
        count = sum(when > begin for when in times)
        if count >= mark.amount:
            who = f"Strategy {scope_id}" if scope == Scope.STRATEGY else "This source"
            reason = (
                f"{who} traded {count:,} times in {mark.seconds:,} s without a person's word (mark {mark.amount:,})."
            )
            stopped += stop_source(actor=ACTOR, at=at, scope=scope, scope_id=scope_id, reason=reason)
    return stopped
