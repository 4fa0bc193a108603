"""Take what a feed said since last time: name its listings, convert its units, judge each tick, note that it lives.

One transaction and the same few statements for any number of ticks. What is not even a tick (unknown symbol, no unit,
another currency's unit) is refused, and that it was becomes an anomaly of the feed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from authorisation.domain.principal import Principal
from journal.bulk import one_transaction, raw_cursor
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from refdata.domain.judging import Marks
from refdata.domain.ticks import FeedTick, PricedListing, Tick, TickRefusal, normalise
from refdata.selectors.prices import find_priced_listings
from refdata.services._write_prices import write_prices

MOST_TICKS = 5_000
SHOWN_REFUSALS = 20
_HEARD = """
INSERT INTO refdata_pricesource AS held (code, session, heartbeat_at) VALUES (%s, %s, %s)
    ON CONFLICT (code) DO UPDATE
   SET session = excluded.session,
       heartbeat_at = CASE WHEN held.session = excluded.session THEN greatest(held.heartbeat_at, excluded.heartbeat_at)
                           ELSE excluded.heartbeat_at END
RETURNING jump_band, confirming_ticks
"""


@dataclass(frozen=True, slots=True)
class TicksTaken:
    """Prices changed, ticks stored, symbols that came into doubt or left it, and what was refused (symbol, why)."""

    changed: int = 0
    stored: int = 0
    doubted: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    refused: tuple[tuple[str, TickRefusal], ...] = ()


def take_ticks(
    *,
    actor: Principal,
    at: datetime,
    source: str,
    session: UUID,
    heard_at: datetime,
    ticks: Sequence[FeedTick],
    snapshot: bool = False,
) -> TicksTaken:
    """``session`` names the feed's connection; ``heard_at`` is the feed's own time of its last word, never later than ``at``.

    ``snapshot``: the ticks are all the feed prices, as at the begin of a connection. At most ``MOST_TICKS`` a call.
    """
    if len(ticks) > MOST_TICKS:
        raise ValueError(f"{len(ticks)} ticks in one batch, at most {MOST_TICKS} are taken")
    with one_transaction():
        with raw_cursor() as cursor:
            cursor.execute(_HEARD, [source, session, min(heard_at, at)])
            row = cursor.fetchone()
        assert row is not None
        if not ticks:
            return TicksTaken()
        listings = find_priced_listings({tick.symbol for tick in ticks})
        good, refused = _normalised(ticks, listings)
        by_id = {one.listing_id: one for one in listings.values()}
        written = write_prices(
            actor=actor.actor,
            at=at,
            source=source,
            session=session,
            marks=Marks(row[0], row[1], settings.PRICE_QUIET),
            ticks=good,
            listings=by_id,
        )
        if refused or snapshot:
            _tell_of_refusals(source, refused, actor=actor.actor, at=at)
    return TicksTaken(written.changed, written.stored, written.doubted, written.cleared, refused)


def _normalised(
    ticks: Sequence[FeedTick], listings: dict[str, PricedListing]
) -> tuple[list[Tick], tuple[tuple[str, TickRefusal], ...]]:
    good: list[Tick] = []
    refused: dict[str, TickRefusal] = {}
    for given in ticks:
        listing = listings.get(given.symbol)
        if listing is None:
            refused[given.symbol] = TickRefusal.SYMBOL_UNKNOWN
            continue
        unit, currency = listing.price_unit, listing.currency
        tick = normalise(given, listing_id=listing.listing_id, price_unit=unit, currency=currency)
        if isinstance(tick, TickRefusal):
            refused[given.symbol] = tick
        else:
            good.append(tick)
    return good, tuple(sorted(refused.items()))


def _tell_of_refusals(source: str, refused: tuple[tuple[str, TickRefusal], ...], *, actor: str, at: datetime) -> None:
    """Raised when there are some, cleared by a snapshot without any."""
    shown = ", ".join(f"{symbol[:24]} {why.value}" for symbol, why in refused[:SHOWN_REFUSALS])
    sentence = f"{len(refused)} symbols of the price feed {source} cannot be taken: {shown}."
    anomaly = Anomaly(
        kind="PRICE_REFUSED",
        severity=Severity.MEDIUM,
        subject_type="price_feed",
        subject_id=source,
        sentence=sentence if refused else f"Everything the price feed {source} says is taken again.",
        dedupe_key=f"feed_refused:{source}",
        evidence={"refused": [[symbol[:24], why.value] for symbol, why in refused[:SHOWN_REFUSALS]]},
    )
    set_anomaly(anomaly=anomaly, wrong=bool(refused), actor=actor, at=at)
