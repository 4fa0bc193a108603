"""Sweeper: what the price of a booked block was when it was booked, and at the close of its day, while there are ticks that say so.

A market's day has ended when its business date has moved on. A block that is booked again later keeps its first outcome: the close
does not change, and a later choice is compared with the round it replaced.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from allocations.domain.transitions import BOOKED
from allocations.models import Block, BlockOutcome
from refdata.selectors import get_market_clock
from refdata.selectors.prices import list_prices_before

SLICE = 500


def keep_outcomes(*, at: datetime) -> int:
    """Keep those of up to ``SLICE`` blocks, oldest first. Returns how many; again at once, none of them."""
    waiting = Block.objects.filter(kind=Block.Kind.BLOCK, state=BOOKED, booked_at__isnull=False, outcome=None)
    days = {
        mic: get_market_clock(mic).business_date(at)
        for mic in waiting.order_by().values_list("listing__market_id", flat=True).distinct()
    }
    rows = waiting.select_related("listing").order_by("trade_date", "number")[: 4 * SLICE]
    ended = [block for block in rows if block.trade_date < days[block.listing.market_id]][:SLICE]
    if not ended:
        return 0
    ends = [get_market_clock(block.listing.market_id).day_ends_at(block.trade_date) for block in ended]
    closes = list_prices_before([(block.listing_id, end) for block, end in zip(ended, ends, strict=True)])
    booked = list_prices_before([(block.listing_id, block.booked_at or at) for block in ended])
    made = [
        BlockOutcome(block=block, round=block.round, close_px=close, booked_px=then, recorded_at=at)
        for block, close, then in zip(ended, closes, booked, strict=True)
    ]
    with transaction.atomic():
        BlockOutcome.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)
