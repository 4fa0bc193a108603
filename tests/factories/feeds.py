"""Feeds and files for tests: London with a calendar around a Friday, one feed of cash, and bytes that are a sound file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from authorisation.domain.principal import process_principal
from journal.models import Event
from reconciliation.models import Feed
from reconciliation.services._feed_anomalies import ACTOR
from reconciliation.services.receive_file import Received, receive_file
from refdata.models import Market, MarketDay
from tests.factories import make_market

FRIDAY = date(2026, 11, 20)
THURSDAY, MONDAY, TUESDAY = FRIDAY - timedelta(days=1), FRIDAY + timedelta(days=3), FRIDAY + timedelta(days=4)
MORNING = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
BRINGER = process_principal("feeds")
assert BRINGER.actor == ACTOR


def make_calendar(*, holidays: Sequence[date] = (), days: int = 20) -> Market:
    """London, trading on weekdays around that Friday."""
    market = Market.objects.filter(mic="XLON").first() or make_market()
    for n in range(-days, days):
        day = FRIDAY + timedelta(days=n)
        if day.weekday() > 4:
            continue
        opens = None if day in holidays else datetime.combine(day, time(8), UTC)
        closes = opens + timedelta(hours=8.5) if opens else None
        MarketDay.objects.create(market=market, date=day, is_session=opens is not None, open_at=opens, close_at=closes)
    return market


def make_feed(**values: Any) -> Feed:
    """The bank's cash, due at 06:30 London about the day before."""
    defaults: dict[str, Any] = {
        "code": "BANK-CASH",
        "title": "Cash of the bank",
        "kind": "cash",
        "source": "BANK",
        "pattern": "*cash*",
        "folder": "bank",
        "market_id": "XLON",
        "due": time(6, 30),
        "zone": "Europe/London",
        "partial": "partly",
    }
    return Feed.objects.create(**(defaults | values))


def cash_file(
    day: date | None = THURSDAY,
    *,
    rows: Sequence[str] = ("A1,GBP,100,110.50",),
    sequence: int | None = None,
    said: str = "",
) -> bytes:
    """A statement with its trailer; ``rows`` are account, currency, opening, amount."""
    words = [f"date={day}" if day else "", f"sequence={sequence}" if sequence is not None else ""]
    lines = [f"#STATEMENT {' '.join(filter(None, words))}", "account,currency,opening,amount", *rows]
    return "\n".join([*lines, f"#TRAILER rows={len(rows)}{said}", ""]).encode()


def bring(
    feed: Feed | None, content: bytes, *, name: str = "cash.csv", at: datetime = MORNING, **values: Any
) -> Received:
    """As the watched folder brings a file."""
    kind = values.pop("kind", feed.kind if feed else "cash")
    return receive_file(actor=BRINGER, at=at, name=name, content=BytesIO(content), kind=kind, feed=feed, **values)


def anomalies(*kinds: str) -> list[tuple[str, str]]:
    """What was raised and cleared, in order: kind of anomaly and R or C."""
    events = Event.objects.filter(kind__in=["AnomalyRaised", "AnomalyCleared"]).order_by("id")
    told = [(str(one.payload["kind"]), one.kind[7]) for one in events]
    return [one for one in told if not kinds or one[0] in kinds]
