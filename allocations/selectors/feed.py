"""The trade feed for those who may see its lines: in order, resumable from any position, in bounded work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from allocations.models import FeedEntry, NoteSeries
from allocations.selectors.seeing import allocation_sight
from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from kernel.texts import utc_text

SERIES = "trade-feed"
LOOK = 5_000
MOST = 1_000


class FeedPage(NamedTuple):
    """``next``: everything up to it was looked at. ``more``: there is more to look at now."""

    trades: list[dict[str, Any]]
    next: int
    more: bool


def feed_end() -> int:
    """The last position there is."""
    return NoteSeries.objects.filter(pk=SERIES).values_list("last_number", flat=True).first() or 0


def read_feed(actor: Principal, *, after: int, limit: int) -> FeedPage:
    """Up to ``limit`` lines behind ``after`` that the actor may see, looking at no more than 5,000. Raises Conflict POSITION_AHEAD."""
    end = feed_end()
    if after > end:
        raise Conflict("POSITION_AHEAD", "No such position was given here yet; read from an earlier one.", {"end": end})
    reached = min(end, after + LOOK)
    lines = FeedEntry.objects.filter(
        allocation_sight(actor, before="allocation__"), position__gt=after, position__lte=reached
    )
    rows = list(lines.order_by("position")[:limit])
    if len(rows) == limit:
        reached = rows[-1].position
    return FeedPage([as_told(row) for row in rows], reached, reached < end)


def feed_lines(actor: Principal, *, after: int) -> Iterator[dict[str, Any]]:
    """Every line behind ``after`` until the end of now, for a file."""
    more = True
    while more:
        page = read_feed(actor, after=after, limit=MOST)
        yield from page.trades
        after, more = page.next, page.more


def as_told(row: FeedEntry) -> dict[str, Any]:
    """A line as other systems get it."""
    return {"recorded_at": utc_text(row.recorded_at), **row.payload}
