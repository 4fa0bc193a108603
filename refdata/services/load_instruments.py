"""Load instruments and their listings from CSV rows: good rows are kept, bad ones come back as issues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from authorisation.domain.principal import Principal
from kernel.ids import new_id
from refdata.domain.import_rows import ImportCode, ImportIssue, ListingDraft, LoadResult, parse_listings
from refdata.domain.tick_table import Band
from refdata.models import Instrument, Listing, Market, TickBand, TickTable
from refdata.services.set_reference_prices import PriceUpdate, set_reference_prices

_INSTRUMENT_FIELDS = ("name", "asset_class")
_LISTING_FIELDS = (
    "symbol",
    "currency",
    "price_unit",
    "price_divisor",
    "lot_size",
    "average_daily_volume",
)


def load_instruments(*, actor: Principal, at: datetime, rows: Sequence[Mapping[str, str]]) -> LoadResult:
    """Upsert by ISIN (instrument) and by MIC and venue symbol (listing); set the reference price where there is none.

    Counts are listings. A changed listing gets the next version. Refused: ISIN, MIC, currency or price unit that is
    wrong, an unknown tick table, a lot or price that is not a number above zero, a price off tick, a symbol that
    belongs to another listing. Nothing of a refused row is written.
    """
    with transaction.atomic():
        tables = {table.name: table for table in TickTable.objects.all()}
        drafts, issues = parse_listings(rows, mics=set(Market.objects.in_bulk()), ticks=_bands_by_name(tables))
        listings = {
            (row.market_id, row.venue_symbol): row for row in Listing.objects.select_related("instrument").all()
        }
        drafts, taken = _without_taken_symbols(drafts, listings)
        issues.extend(taken)
        reason = f"loaded by {actor.actor}"
        instruments = _upsert_instruments(drafts, at=at, reason=reason)
        result = _upsert_listings(drafts, listings, instruments, tables, at=at, reason=reason)
        _first_prices(actor, at, drafts)
    return LoadResult(*result, tuple(sorted(issues, key=lambda issue: (issue.row, issue.column))))


def _bands_by_name(tables: Mapping[str, TickTable]) -> dict[str, list[Band]]:
    names = {table.pk: name for name, table in tables.items()}
    bands: dict[str, list[Band]] = {name: [] for name in tables}
    for table_id, price_from, tick in TickBand.objects.order_by("table_id", "price_from").values_list(
        "table_id", "price_from", "tick"
    ):
        bands[names[table_id]].append(Band(price_from, tick))
    return bands


def _without_taken_symbols(
    drafts: Sequence[ListingDraft], listings: Mapping[tuple[str, str], Listing]
) -> tuple[list[ListingDraft], list[ImportIssue]]:
    """Leave out rows that would move a symbol to another listing, or a listing to another instrument: never guessed."""
    owner = {row.symbol: key for key, row in listings.items()}
    kept: list[ListingDraft] = []
    issues: list[ImportIssue] = []
    for draft in drafts:
        key = (draft.mic, draft.venue_symbol)
        held = listings.get(key)
        if owner.get(draft.symbol, key) != key:
            sentence = f"{draft.symbol} already names another listing."
            issues.append(ImportIssue(draft.row, "symbol", ImportCode.SYMBOL_TAKEN, sentence))
        elif held is not None and held.instrument.isin != draft.isin:
            sentence = f"{draft.venue_symbol} on {draft.mic} is {held.instrument.isin}, not {draft.isin}."
            issues.append(ImportIssue(draft.row, "isin", ImportCode.SYMBOL_TAKEN, sentence))
        else:
            owner[draft.symbol] = key
            kept.append(draft)
    return kept, issues


def _upsert_instruments(drafts: Sequence[ListingDraft], *, at: datetime, reason: str) -> dict[str, Instrument]:
    isins = {draft.isin for draft in drafts}
    known = {row.isin: row for row in Instrument.objects.filter(isin__in=isins)}
    news: dict[str, Instrument] = {}
    edits: dict[str, Instrument] = {}
    for draft in drafts:
        values = {name: getattr(draft, name) for name in _INSTRUMENT_FIELDS}
        if draft.isin in known:
            if _differs(known[draft.isin], values):
                edits[draft.isin] = known[draft.isin]
        elif draft.isin not in news:
            news[draft.isin] = Instrument(id=new_id(), isin=draft.isin, **values)
    _save(Instrument, list(news.values()), list(edits.values()), _INSTRUMENT_FIELDS, at=at, reason=reason)
    return known | news


def _upsert_listings(
    drafts: Sequence[ListingDraft],
    listings: Mapping[tuple[str, str], Listing],
    instruments: Mapping[str, Instrument],
    tables: Mapping[str, TickTable],
    *,
    at: datetime,
    reason: str,
) -> tuple[int, int, int]:
    news: list[Listing] = []
    edits: list[Listing] = []
    for draft in drafts:
        values: dict[str, Any] = {name: getattr(draft, name) for name in _LISTING_FIELDS}
        values["tick_table_id"] = tables[draft.tick_table].pk
        held = listings.get((draft.mic, draft.venue_symbol))
        if held is None:
            news.append(
                Listing(
                    id=new_id(),
                    instrument=instruments[draft.isin],
                    market_id=draft.mic,
                    venue_symbol=draft.venue_symbol,
                    **values,
                )
            )
        elif _differs(held, values):
            held.version += 1
            edits.append(held)
    _save(Listing, news, edits, (*_LISTING_FIELDS, "tick_table", "version"), at=at, reason=reason)
    return len(news), len(edits), len(drafts) - len(news) - len(edits)


def _differs(row: Any, values: Mapping[str, Any]) -> bool:
    """Set ``values`` on ``row``; whether any of them was another before."""
    differs = False
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            differs = True
    return differs


def _save(model: Any, news: list[Any], edits: list[Any], fields: Sequence[str], *, at: datetime, reason: str) -> None:
    if news:
        bulk_create_with_history(news, model, batch_size=1000, default_change_reason=reason, default_date=at)
    if edits:
        bulk_update_with_history(edits, model, list(fields), default_change_reason=reason, default_date=at)


def _first_prices(actor: Principal, at: datetime, drafts: Sequence[ListingDraft]) -> None:
    wanted = {draft.symbol: draft.reference_price for draft in drafts if draft.reference_price is not None}
    unpriced = Listing.objects.filter(symbol__in=wanted, referenceprice__isnull=True).values_list("id", "symbol")
    updates = [
        PriceUpdate(listing_id=listing_id, last=wanted[symbol], previous_close=wanted[symbol], priced_at=at)
        for listing_id, symbol in unpriced
    ]
    set_reference_prices(actor=actor, at=at, source="file", prices=updates)
