"""Under which names a venue's word is kept: its sessions and their groups, itself, and the markets it trades."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from journal.bulk import raw_cursor
from orders.models import Order
from reconciliation.matching.kinds import markets_of
from reconciliation.models import FeedFile
from venues.models import FixSession, Venue


def sources_of_session(name: str) -> frozenset[str]:
    """Every source whose files speak of the session's venue; none for a session that is not ours."""
    session = FixSession.objects.filter(name=name).first()
    return _of_venues([session.venue_id]) if session is not None else frozenset()


def sources_of_order(order_id: UUID) -> frozenset[str]:
    """Every source whose files speak of the market of an order; none for an order that is not ours."""
    mic = Order.objects.filter(pk=order_id).values_list("listing__market_id", flat=True).first()
    if mic is None:
        return frozenset()
    return _of_venues(Venue.objects.filter(markets=mic).values_list("code", flat=True)) | {mic}


def markets_of_file(file: FeedFile) -> tuple[str, ...]:
    """The markets a file speaks for: its source's, else its feed's; none where it speaks for all of them."""
    with raw_cursor() as cursor:
        markets = markets_of(cursor, file.source)
    feed = file.feed
    return markets or ((feed.market_id,) if feed is not None and feed.market_id else ())


def _of_venues(codes: Collection[str]) -> frozenset[str]:
    venues = list(codes)
    found = {*venues, *Venue.objects.filter(code__in=venues, markets__isnull=False).values_list("markets", flat=True)}
    for name, group in FixSession.objects.filter(venue_id__in=venues).values_list("name", "group"):
        found |= {name, group}
    return frozenset(found)
