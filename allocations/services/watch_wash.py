"""Sweeper: after the cut-off of its market a wash account holds nothing of a day any more, or somebody is told which.

Flat is: what executions and allocations dated on the day moved comes to nothing, in every currency and instrument. What the firm
put there to carry blocks is no part of it. Where no cut-off is on record the day is over when the market's next one has begun.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from allocations.models import Block, WashAccount
from allocations.selectors.cut_offs import cut_offs_for
from journal.bulk import raw_cursor
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from refdata.selectors import get_market_clock

KIND = "WASH_NOT_FLAT"
ACTOR = "process:allocations"
WINDOW = timedelta(days=31)
_DAYS = """
SELECT account_id, trade_date, json_object_agg(what, amount) FILTER (WHERE amount <> 0) FROM (
     SELECT b.account_id, b.trade_date, coalesce(nullif(b.currency, ''), b.instrument_id::text) AS what,
            sum(CASE WHEN b.layer = 'short' THEN -b.amount ELSE b.amount END) AS amount
       FROM accounts_booking b JOIN allocations_washaccount w ON w.account_id = b.account_id
      WHERE b.kind IN ('trade', 'bust', 'correction', 'suspense', 'allocation', 'compensation') AND b.recorded_at > %s
      GROUP BY 1, 2, 3) sums
 GROUP BY account_id, trade_date ORDER BY account_id, trade_date
"""


def watch_wash(*, at: datetime) -> int:
    """How many account days are past their cut-off and not flat."""
    with raw_cursor() as cursor:
        cursor.execute(_DAYS, [at - WINDOW])
        days = cursor.fetchall()
    codes = dict(WashAccount.objects.values_list("account_id", "account__code"))
    late = 0
    for account_id, day, left in days:
        over = bool(left) and _is_over(account_id, day, at)
        late += over
        if over or not left:
            _set(account_id, codes[account_id], day, left or {}, over, at)
    return late


def _is_over(account_id: UUID, day: date, at: datetime) -> bool:
    """Past the cut-off of every market that the account's blocks of the day traded on."""
    blocks = Block.objects.filter(account_id=account_id, trade_date=day)
    mics = list(blocks.values_list("listing__market_id", flat=True).distinct())
    if not mics:
        return at.date() > day
    return all(_passed(mic, day, at) for mic in mics)


def _passed(mic: str, day: date, at: datetime) -> bool:
    clock = get_market_clock(mic)
    by = cut_offs_for(mic, day, clock=clock).allocate_by
    return at >= by if by is not None else clock.business_date(at) > day


def _set(account_id: UUID, code: str, day: date, left: dict[str, object], over: bool, at: datetime) -> None:
    blocks = Block.objects.filter(account_id=account_id, trade_date=day).exclude(state__in=["booked", "dissolved"])
    open_blocks = [f"{block.ref} ({block.state})" for block in blocks.order_by("number")[:20]] if over else []
    state = "is not flat after its cut-off" if over else "is flat"
    set_anomaly(
        anomaly=Anomaly(
            kind=KIND,
            severity=Severity.HIGH,
            subject_type="account",
            subject_id=str(account_id),
            sentence=f"{code} {state}: trades of {day}.",
            dedupe_key=f"wash-not-flat:{account_id}:{day}",
            evidence={
                "account": code,
                "day": str(day),
                "left": {key: str(value) for key, value in left.items()},
                "blocks": open_blocks,
            },
        ),
        wrong=over,
        actor=ACTOR,
        at=at,
    )
