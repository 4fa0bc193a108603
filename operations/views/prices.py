"""Prices as the house has them: the board, one listing with its ticks, one tick a decision saw, and the end of a doubt."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound
from operations.domain.price_state import NEEDS_EYES, SHOWN, PriceState
from operations.selectors.price_board import age_marks, list_feed_rows, list_price_rows, price_row
from operations.views.edge import page
from refdata.permissions import JUDGE_PRICE
from refdata.selectors import get_listing_by_symbol
from refdata.selectors.prices import find_tick, list_ticks
from refdata.services.settle_price_doubt import settle_price_doubt

VIEWS = {"all": "All", "odd": "Need eyes"}


@require_GET
@page
def prices(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The board; with ``part`` its lines and feeds alone."""
    at = utc_now()
    query, mic = request.GET.get("q", "").strip()[:40], request.GET.get("mic", "").strip().upper()[:4]
    view = request.GET.get("view", "all")
    view = view if view in VIEWS else "all"
    marks = age_marks(at)
    rows = list_price_rows(at=at, marks=marks, query=query, mic=mic)
    odd = tuple(row for row in rows if row.state in NEEDS_EYES)
    context: dict[str, Any] = {
        "rows": odd if view == "odd" else rows,
        "counts": {"all": len(rows), "odd": len(odd)},
        "feeds": list_feed_rows(rows),
        "mics": sorted({row.listing.mic for row in rows} | ({mic} if mic else set())),
        "query": query,
        "mic": mic,
        "view": view,
        "views": VIEWS,
        "at": at,
        "marks": marks,
        "stale": SHOWN[PriceState.STALE],
    }
    part = request.GET.get("part")
    return render(request, f"operations/{'parts/price_list' if part else 'prices'}.html", context)


@require_GET
@page
def price(request: HttpRequest, actor: Principal, symbol: str) -> HttpResponse:
    """One listing: its price, the last ticks, and, while it is in doubt, the form that ends the doubt."""
    return render(request, "operations/price.html", price_context(actor, symbol))


def price_context(actor: Principal, symbol: str) -> dict[str, Any]:
    """Raises NotFound for a symbol nobody uses."""
    at = utc_now()
    listing = get_listing_by_symbol(symbol, at=at)
    ticks = list_ticks(listing.listing_id)
    doubted = next((tick for tick in ticks if tick.doubt), None)
    return {
        "row": price_row(listing, age_marks(at), at),
        "listing": listing,
        "ticks": ticks,
        "doubted": doubted,
        "believable": doubted is not None and doubted.last is not None and doubted.last > 0,
        "may_judge": JUDGE_PRICE in actor.rights,
        "at": at,
    }


@require_POST
@page
def settle(request: HttpRequest, actor: Principal, symbol: str) -> HttpResponse:
    """Believe the doubted tick, or let the last good price stand."""
    data = request.POST
    try:
        tick_id = UUID(data.get("tick", ""))
    except ValueError as error:
        raise Invalid("TICK_UNKNOWN", "That is not the id of a tick.") from error
    at = utc_now()
    settle_price_doubt(
        actor=actor,
        at=at,
        listing_id=get_listing_by_symbol(symbol, at=at).listing_id,
        tick_id=tick_id,
        believe=data.get("verdict") == "believe",
        reason=data.get("reason", "")[:500],
    )
    return HttpResponseRedirect(f"/prices/{symbol}")


@require_GET
@page
def tick(request: HttpRequest, actor: Principal, tick_id: UUID) -> HttpResponse:
    """The stored tick a decision names."""
    found = find_tick(tick_id)
    if found is None:
        raise NotFound(
            "TICK_UNKNOWN",
            "No such tick is kept. Ticks are kept 14 days; the decision itself keeps the figures it saw.",
        )
    return render(request, "operations/tick.html", {"tick": found})
