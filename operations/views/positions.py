"""Positions and cash: accounts, one account, and what each figure is made of. Reads only; what was not granted is not there."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.domain.average_cost import METHOD
from accounts.domain.settling import TO_TRADE, WITHDRAWABLE
from accounts.selectors import get_account_by_code
from accounts.services.ask_cash_booking import ask_cash_booking
from accounts.services.ask_withdrawal import ask_withdrawal
from accounts.services.record_locate import record_locate
from accounts.services.request_account_state import request_account_state
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.ids import new_id
from kernel.numbers import parse_decimal
from operations.domain.position_rows import HEADER, csv_rows
from operations.selectors.account_pictures import list_account_pictures
from operations.selectors.derivation import FIGURES, get_derivation
from operations.selectors.positions import get_positions, refs_of, symbols_of
from operations.selectors.recon.breaks import list_breaks_of_account
from operations.selectors.uploads import neutral
from operations.views.edge import actor_may, page
from orders.selectors.locates import list_locates
from refdata.permissions import ASK_STATIC_DATA
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
        "export_url": f"/positions/export?{urlencode({'q': query, 'symbol': symbol})}",
    }
    part = request.GET.get("part")
    return render(request, f"operations/{'parts/account_list' if part else 'positions'}.html", context)


@require_GET
@page
def account(request: HttpRequest, actor: Principal, code: str) -> HttpResponse:
    """One account, now or as at a time; with ``part`` the tables alone."""
    at = read_moment(request.GET.get("at", ""))
    positions = get_positions(actor=actor, code=code, now=utc_now(), at=at)
    locates = list_locates(positions.account.id) if at is None else []
    context = {
        "positions": positions,
        "account": positions.account,
        "locates": locates,
        "locate_names": {line.view.instrument_id: line.symbol for line in positions.stock} | symbols_of(locates),
        "refs": refs_of({order_id for use in locates for order_id in use.by_order}),
        "may_record": actor_may(actor, ASK_STATIC_DATA),
        "breaks": list_breaks_of_account(actor=actor, account_id=positions.account.id) if at is None else [],
        "now": utc_now(),
        "key": str(new_id()),
        "at_text": request.GET.get("at", "").strip(),
        "method": METHOD,
        "to_trade": TO_TRADE,
        "withdrawable": WITHDRAWABLE,
    }
    part = request.GET.get("part")
    return render(request, f"operations/{'parts/account_books' if part else 'account'}.html", context)


@require_POST
@page
def locate(request: HttpRequest, actor: Principal, code: str) -> HttpResponse:
    """Record what a lender has promised; then back to the account."""
    data, at = request.POST.dict(), utc_now()
    shown = get_account_by_code(actor, code)
    listing = find_listing_by_symbol(str(data.get("symbol", "")), at=at)
    qty, expires_at = parse_decimal(str(data.get("qty", ""))), read_moment(str(data.get("expires_at", "")))
    if listing is None:
        raise Invalid("SYMBOL_UNKNOWN", "No listing has that name.", {"symbol": ["No listing has that name."]})
    if qty is None or expires_at is None:
        raise Invalid("LOCATE_INVALID", "Say how many units, and until when.")
    record_locate(
        actor=actor, at=at, account_id=shown.id, instrument_id=listing.instrument_id, ref=str(data.get("ref", "")), qty=qty,
        lender=str(data.get("lender", "")), expires_at=expires_at,
    )  # fmt: skip
    return redirect("account", code=code)


@require_POST
@page
def withdrawal(request: HttpRequest, actor: Principal, code: str) -> HttpResponse:
    """Ask for cash to be paid out; then the request as its checker will see it."""
    data = request.POST.dict()
    shown = get_account_by_code(actor, code)
    amount = parse_decimal(str(data.get("amount", "")))
    if amount is None:
        raise Invalid("WITHDRAWAL_INVALID", "Say how much.", {"amount": ["Say how much."]})
    withdrawal_id = ask_withdrawal(
        actor=actor, at=utc_now(), idempotency_key=str(data.get("key", "")), account_id=shown.id,
        currency=str(data.get("currency", "")).strip().upper(), amount=amount, purpose=str(data.get("purpose", "")),
    )  # fmt: skip
    return redirect(f"/approvals?view=raised&id={withdrawal_id}")


@require_POST
@page
def cash_booking(request: HttpRequest, actor: Principal, code: str) -> HttpResponse:
    """Ask for cash to be booked in; then the request as its checker will see it."""
    data = request.POST.dict()
    shown = get_account_by_code(actor, code)
    amount = parse_decimal(str(data.get("amount", "")))
    if amount is None:
        raise Invalid("CASH_INVALID", "Say how much.", {"amount": ["Say how much."]})
    request_id = ask_cash_booking(
        actor=actor, at=utc_now(), idempotency_key=str(data.get("key", "")), account_id=shown.id,
        currency=str(data.get("currency", "")).strip().upper(), amount=amount, purpose=str(data.get("purpose", "")),
    )  # fmt: skip
    return redirect(f"/approvals?view=raised&id={request_id}")


@require_POST
@page
def account_state(request: HttpRequest, actor: Principal, code: str) -> HttpResponse:
    """Ask for another state of the account; then the request as its checker will see it."""
    data = request.POST.dict()
    shown = get_account_by_code(actor, code)
    request_id = request_account_state(
        actor=actor, at=utc_now(), account_id=shown.id, state=str(data.get("state", "")),
        reason=str(data.get("reason", "")),
    )  # fmt: skip
    return redirect(f"/approvals?view=raised&id={request_id}")


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
        "figures": [one for one in FIGURES.values() if one.of_cash in (None, bool(found.currency))],
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
