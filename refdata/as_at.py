"""What a notice says in its version in force; what a listing was called on a day, and which listing a name meant then.

Names change on the ex date of a corporate action.

A name of today finds its listing first; an old name still finds, the listing that bore it last.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from refdata.domain.action_terms import ActionTerms, terms_from_json
from refdata.models import CorporateAction, CorporateActionVersion, FormerName, Listing


@dataclass(frozen=True, slots=True)
class ListingName:
    """Symbol, the venue's symbol and ISIN of a listing on a day; ``valid_until`` None for the name it has now."""

    listing_id: UUID
    symbol: str
    venue_symbol: str
    isin: str
    valid_until: date | None


def get_name_on(listing_id: UUID, day: date) -> ListingName:
    """What the listing was called on ``day``."""
    former = FormerName.objects.filter(listing_id=listing_id, valid_until__gt=day).order_by("valid_until", "id").first()
    if former is not None:
        return ListingName(listing_id, former.symbol, former.venue_symbol, former.isin, former.valid_until)
    now = Listing.objects.select_related("instrument").get(id=listing_id)
    return ListingName(listing_id, now.symbol, now.venue_symbol, now.instrument.isin, None)


def find_listing_called(symbol: str, *, day: date) -> UUID | None:
    """The listing that ``symbol`` meant on ``day``: who bore it then, else who bears it now, else who bore it last."""
    wanted = symbol.strip().upper()
    named = FormerName.objects.filter(symbol=wanted)
    then = named.filter(valid_until__gt=day).order_by("valid_until", "id").first()
    if then is not None:
        return then.listing_id
    now: UUID | None = Listing.objects.filter(symbol=wanted).values_list("id", flat=True).first()
    if now is not None:
        return now
    last = named.order_by("-valid_until", "-id").first()
    return last.listing_id if last is not None else None


def current_symbols(symbols: Iterable[str]) -> dict[str, str]:
    """For symbols that no listing bears now: what the listing that bore it last is called today. Others are absent."""
    wanted = sorted({symbol.strip().upper() for symbol in symbols})
    rows = FormerName.objects.filter(symbol__in=wanted).exclude(symbol__in=Listing.objects.values("symbol"))
    found = {}
    for old, new in rows.order_by("valid_until", "id").values_list("symbol", "listing__symbol"):
        found[old] = new
    return found


def terms_of(action: CorporateAction) -> ActionTerms:
    """The terms of the version in force."""
    body = CorporateActionVersion.objects.values_list("terms", flat=True).get(action=action, number=action.version)
    return terms_from_json(body)
