"""Rows of the venues room for tests."""

from __future__ import annotations

from refdata.models import Market
from venues.models import FixSession, Venue


def make_session(
    *,
    name: str = "T1-A",
    group: str = "T1",
    port: int = 1,
    mics: tuple[str, ...] = (),
    adapter: str = "fix44",
    begin_string: str = "FIX.4.4",
    wait_s: int = 2,
    venue: str = "TV",
) -> FixSession:
    """A venue with one session OMS → VENUE."""
    row, _ = Venue.objects.get_or_create(code=venue, defaults={"name": "Test venue", "adapter": adapter})
    row.markets.set(Market.objects.filter(mic__in=mics))
    return FixSession.objects.create(
        name=name,
        group=group,
        venue=row,
        begin_string=begin_string,
        sender_comp_id="OMS",
        target_comp_id="VENUE",
        port=port,
        heartbeat_s=5,
        wait_s=wait_s,
    )
