"""The order ticket: lists for suggestions, the live preview with the same checks as the send, and the send itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.selectors import list_accounts
from authorisation.domain.principal import ENTER_ORDER, Principal
from kernel.clock import utc_now
from kernel.errors import OmsError
from kernel.fix import OrdType, Side
from kernel.ids import new_id
from kernel.numbers import plain
from operations.domain.numbers import grouped
from operations.domain.rows import SIDE_WORDS
from operations.forms import (
    ACK_REASONS,
    CAPACITY_CHOICES,
    ORD_TYPE_CHOICES,
    TIME_IN_FORCE_CHOICES,
    missing_terms,
    read_acknowledgements,
    read_ticket,
)
from operations.selectors.frame import list_instruments
from operations.selectors.price_board import age_marks, price_row
from operations.views.edge import page
from orders.domain.terms import DISCRETIONS, OrderTerms
from orders.services.capture_order import capture_order
from orders.services.preview_order import preview_order
from refdata.selectors import find_listing_by_symbol
from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.closeness import Closeness
from risk.domain.limit_change import KIND_WORDS

ROUTE = "ticket"
MOST_WARNINGS = 5
MOST_CLOSE = 3


@require_GET
@page
def new_ticket(request: HttpRequest, actor: Principal) -> HttpResponse:
    """An empty or prefilled ticket with a key of its own; alone on a page, or as a part for the desk's drawer."""
    actor.require(ENTER_ORDER, "Your role may not enter orders.")
    given = request.GET
    side = given.get("side", "")
    context = {
        "side": side if side in {"1", "2", "5"} else "1",
        "key": str(new_id()),
        "ord_types": ORD_TYPE_CHOICES,
        "times_in_force": TIME_IN_FORCE_CHOICES,
        "capacities": CAPACITY_CHOICES,
        "discretions": DISCRETIONS.items(),
        "given": {
            name: given.get(name, "")
            for name in ("symbol", "qty", "price", "account", "stop_px", "ord_type", "time_in_force")
        },
    }
    template = "operations/parts/ticket.html" if given.get("part") else "operations/ticket.html"
    return render(request, template, context)


@require_GET
@page
def ticket_lists(request: HttpRequest, actor: Principal) -> JsonResponse:
    """``{"instruments": [[symbol, name]], "accounts": [[code, name]]}``: all an actor may type into a ticket."""
    return JsonResponse(
        {
            "instruments": list_instruments(),
            "accounts": [[account.code, account.name] for account in list_accounts(actor) if account.may_trade],
        }
    )


@require_POST
@page
def ticket_preview(request: HttpRequest, actor: Principal) -> HttpResponse:
    """What would happen now: the arithmetic, every check, and the button that says the order in words."""
    at = utc_now()
    data = request.POST.dict()
    symbol = str(data.get("symbol", "")).strip().upper()
    listing = find_listing_by_symbol(symbol, at=at) if symbol else None
    context: dict[str, Any] = {
        "listing": listing,
        "board": price_row(listing, age_marks(at), at) if listing else None,
        "symbol": symbol,
        "missing": missing_terms(data),
        "at": at,
    }
    if not context["missing"]:
        try:
            terms = read_ticket(data)
            given = read_acknowledgements(data)
            preview = preview_order(actor=actor, at=at, terms=terms, acknowledgements=given)
            context |= {"terms": terms, "preview": preview, "in_words": in_words(terms), **sort_checks(preview.checks)}
            context["close_to"] = closest(preview.closeness)
        except OmsError as error:
            context["error"] = error
    return render(request, "operations/parts/ticket_preview.html", context)


@require_POST
@page
def ticket_send(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Capture the order under the ticket's key. Refused by checks: 422 with the kept request and its reasons."""
    at = utc_now()
    data = request.POST.dict()
    result = capture_order(
        actor=actor,
        at=at,
        idempotency_key=str(data.get("key", "")),
        route=ROUTE,
        terms=read_ticket(data),
        source=ROUTE,
        acknowledgements=read_acknowledgements(data),
    )
    again = {
        name: data.get(name, "")
        for name in ("symbol", "qty", "price", "account", "side", "stop_px", "ord_type", "time_in_force")
    }
    context = {"result": result, "again": again, **sort_checks(result.checks)}
    status = 422 if result.outcome == "refused" else 200
    return render(request, "operations/parts/ticket_result.html", context, status=status)


def closest(found: Sequence[Closeness]) -> list[str]:
    """The limits the order comes closest to, in words: ``62% → 74% of open value of the desk``."""
    return [
        f"{item.before / item.hard:.0%} → {item.after / item.hard:.0%} of {KIND_WORDS[item.kind].lower()} of {item.place}"
        for item in found
        if item.before is not None and item.after is not None
    ][:MOST_CLOSE]


def sort_checks(checks: tuple[CheckAnswer, ...]) -> dict[str, Any]:
    """Checks by what they ask of whom. More than five warnings are nobody's to tick: a second person takes them."""
    warnings = [answer for answer in checks if answer.verdict is Verdict.ACKNOWLEDGE]
    return {
        "refusals": [answer for answer in checks if answer.verdict is Verdict.REFUSE],
        "approvals": [answer for answer in checks if answer.verdict is Verdict.AUTHORISE],
        "warnings": warnings,
        "open_warnings": [answer for answer in warnings if not answer.reason],
        "too_many_warnings": len(warnings) > MOST_WARNINGS,
        "passed": [answer for answer in checks if answer.verdict is Verdict.PASS],
        "ack_reasons": ACK_REASONS,
    }


def in_words(terms: OrderTerms) -> str:
    """The order as its button repeats it: ``BUY 45,000 VOD.L @ 72.34``."""
    side = SIDE_WORDS[Side(terms.side)]
    price = {
        OrdType.MARKET: "at market",
        OrdType.STOP: f"stop {grouped(terms.stop_px, 2)}",
        OrdType.STOP_LIMIT: f"stop {grouped(terms.stop_px, 2)} limit {grouped(terms.price, 2)}",
        OrdType.LIMIT: f"@ {grouped(terms.price, 2)}",
    }[terms.ord_type]
    return f"{side} {grouped(plain(terms.order_qty))} {terms.symbol} {price}"
