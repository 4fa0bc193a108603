"""The two demo venues and their FIX sessions, at the ports the house was started with."""

from __future__ import annotations

from django.conf import settings

from refdata.models import Market
from venues.models import FixSession, Venue

VENUES = (
    ("SIM1", "Simulated venue Europe", ("XLON", "XETR", "XPAR"), "+44 20 7946 0991"),
    ("SIM2", "Simulated venue US and Australia", ("XNYS", "XNAS", "XASX"), "+1 212 555 0142"),
)
HOUSE_COMP_ID = "OMS"


def seed_venues() -> None:
    """Venues with their markets and one session each. Ports follow ``OMS_FIX_PORT``; the rest stays as it is."""
    for place, (code, name, mics, phone) in enumerate(VENUES):
        venue, _ = Venue.objects.get_or_create(code=code, defaults={"name": name, "adapter": "fix44", "phone": phone})
        venue.markets.add(*Market.objects.filter(mic__in=mics))
        FixSession.objects.get_or_create(
            name=f"{code}-A",
            defaults={
                "group": code,
                "venue": venue,
                "sender_comp_id": HOUSE_COMP_ID,
                "target_comp_id": code,
                "port": settings.FIX_PORT + place,
            },
        )
    align_ports()


def align_ports() -> None:
    """Point the demo sessions at the ports of this start: cheap enough for every start."""
    for place, (code, *_) in enumerate(VENUES):
        FixSession.objects.filter(name=f"{code}-A").exclude(port=settings.FIX_PORT + place).update(
            port=settings.FIX_PORT + place
        )
