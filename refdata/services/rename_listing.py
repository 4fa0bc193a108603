"""Give a listing its new symbol or its instrument a new ISIN; the old names go on finding it, by date."""

from __future__ import annotations

from datetime import date, datetime

from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from refdata.locks import lock_listings_of
from refdata.models import CorporateAction, FormerName, Instrument, Listing


def rename_listing(
    *, actor: Principal, at: datetime, action: CorporateAction, day: date, symbol: str, venue_symbol: str, isin: str
) -> None:
    """From ``day`` on; an empty name stays as it is. Inside the caller's transaction, the action locked.

    Raises Conflict NAME_TAKEN where another listing or instrument bears one of the names; then nothing changed.
    """
    listings = lock_listings_of(action.instrument_id)
    own = next(row for row in listings if row.id == action.listing_id)
    _require_free(own, symbol=symbol, venue_symbol=venue_symbol, isin=isin)
    changed = listings if isin and isin != own.instrument.isin else [own]
    for row in changed:
        FormerName.objects.create(
            listing=row,
            symbol=row.symbol,
            venue_symbol=row.venue_symbol,
            isin=row.instrument.isin,
            valid_until=day,
            action=action,
        )
    reason = f"corporate action {action}"
    if isin and isin != own.instrument.isin:
        instrument: Instrument = action.instrument
        instrument.isin = isin
        instrument._history_date, instrument._change_reason = at, reason[:100]  # type: ignore[attr-defined]
        instrument.save()
    for row in changed:
        if row.id == own.id and symbol:
            row.symbol, row.venue_symbol = symbol, venue_symbol
        row.version += 1
        row._history_date, row._change_reason = at, reason[:100]  # type: ignore[attr-defined]
        row.save()


def _require_free(own: Listing, *, symbol: str, venue_symbol: str, isin: str) -> None:
    others = Listing.objects.exclude(id=own.id)
    if symbol and others.filter(symbol=symbol).exists():
        raise Conflict("NAME_TAKEN", f"{symbol} names another listing.", {"symbol": symbol})
    if venue_symbol and others.filter(market_id=own.market_id, venue_symbol=venue_symbol).exists():
        raise Conflict("NAME_TAKEN", f"{venue_symbol} names another listing of the market.", {"symbol": venue_symbol})
    if isin and Instrument.objects.exclude(id=own.instrument_id).filter(isin=isin).exists():
        raise Conflict("NAME_TAKEN", f"{isin} is another instrument.", {"isin": isin})
