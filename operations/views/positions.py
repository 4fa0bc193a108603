"""Positions and cash: accounts, one account, and what each figure is made of. Reads only; what was not granted is not there."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.domain.average_cost import METHOD
from accounts.domain.settling import TO_TRADE, WITHDRAWABLE
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.domain.position_rows import HEADER, csv_rows
from operations.selectors.account_pictures import list_account_pictures
from operations.selectors.derivation import FIGURES, get_derivation
from operations.selectors.positions import get_positions
from operations.selectors.uploads import neutral
from operations.views.edge import page
from refdata.selectors import find_listing_by_symbol

MOST_ACCOUNTS = 200
MOST_STEPS = 200


@require_GET
@page
def accounts(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Accounts with what each may trade; with ``symbol`` only those that hold the instrument. With ``part`` the list alone."""
    query = request.GET.get("q", "").strip()[:40]
    symbol = request.GET.get("symbol", "").strip()[:24]
    listing = find_listing_by_symbol(symbol, at=utc_now()) if symbol else None
    pictures, live = list_account_pictures(actor=actor, search=query, limit=MOST_ACCOUNTS)
    rows = [(picture, picture.stock.get(str(listing.instrument_id)) if listing else None) for picture in pictures]
    context: dict[str, Any] = {
        "rows": [row for row in rows if not symbol or row[1]],
        "live": live,
        "query": query,
        "symbol": symbol,
        "listing": listing,
        "most": MOST_ACCOUNTS,
        "to_trade": TO_TRADE,
    }
    part = request.GET.get("part")
    return render(request, f"operations/{'parts/account_list' if part else 'positions'}.html", context)


@require_GET
@page
def account(request: HttpRequest, actor: Principal, code: str) -> HttpResponse:
    """One account, now or as at a time; with ``part`` the tables alone."""
    at = read_moment(request.GET.get("at", ""))
    positions = get_positions(actor=actor, code=code, now=utc_now(), at=at)
    context = {
        "positions": positions,
        "account": positions.account,
        "at_text": request.GET.get("at", "").strip(),
        "method": METHOD,
        "to_trade": TO_TRADE,
        "withdrawable": WITHDRAWABLE,
    }
    part = request.GET.get("part")
    return render(request, f"operations/{'parts/account_books' if part else 'account'}.html", context)


@require_GET
@page
def account_csv(request: HttpRequest, actor: Principal, code: str) -> HttpResponse:
    """The stock of the account as CSV: what the page shows, cells a spreadsheet will not run."""
    positions = get_positions(actor=actor, code=code, now=utc_now(), at=read_moment(request.GET.get("at", "")))
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(HEADER)
    for row in csv_rows(positions):
        writer.writerow([neutral(cell) for cell in row])
    response = HttpResponse(buffer.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="positions-{positions.account.code}.csv"'
    return response


@require_GET
@page
def derivation(request: HttpRequest, actor: Principal, code: str, what: str, figure: str) -> HttpResponse:
    """The bookings and holds a figure is the sum of."""
    settles = None
    if request.GET.get("settles"):
        try:
            settles = date.fromisoformat(request.GET["settles"])
        except ValueError as error:
            raise Invalid("DATE_INVALID", "That is not a date.") from error
    found = get_derivation(
        actor=actor, code=code, what=what, name=figure, now=utc_now(), at=read_moment(request.GET.get("at", "")),
        settles=settles,
    )  # fmt: skip
    context = {
        "derivation": found,
        "account": found.positions.account,
        "figures": FIGURES.values(),
        "what_id": what,
        "at_text": request.GET.get("at", "").strip(),
        "steps": found.steps[-MOST_STEPS:],
        "method": METHOD,
        "places": 2 if found.currency else 0,
    }
    return render(request, "operations/derivation.html", context)


def read_moment(text: str) -> datetime | None:
    """A time as the picker sends it, in the reader's zone; None for now. Raises Invalid TIME_INVALID."""
    if not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid("TIME_INVALID", "That is not a time.", {"at": ["Like 2026-11-25T14:30."]}) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_current_timezone())
