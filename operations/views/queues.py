"""Approvals, exceptions and search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.selectors import read_money
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.fix import Side
from operations.approving import KINDS
from operations.forms import DECLINE_REASONS, read_choice
from operations.selectors.queues import (
    WaitingItem,
    find_orders,
    get_approval,
    get_exception,
    list_approvals,
    list_exceptions,
)
from operations.views.edge import page
from operations.views.orders import money_of
from operations.views.suspense import suspense_of
from operations.views.ticket import sort_checks
from risk.domain.answers import answer_from_json
from risk.domain.checks.limits import OrderNotionalLimit

APPROVAL_VIEWS = {"mine": "Mine to decide", "raised": "Raised by me", "all": "All waiting", "decided": "Decided"}
EXCEPTION_VIEWS = {"open": "Open", "closed": "Closed"}
APPROVE_REASON = "WITHIN_MANDATE"


@require_GET
@page
def approvals(request: HttpRequest, actor: Principal) -> HttpResponse:
    """List and detail beside it; with ``part`` the list alone."""
    view = request.GET.get("view", "mine")
    view = view if view in APPROVAL_VIEWS else "mine"
    at = utc_now()
    items = list_approvals(actor=actor, view=view, at=at)
    context: dict[str, Any] = {
        "items": items,
        "view": view,
        "views": APPROVAL_VIEWS,
        "at": at,
        "chosen": request.GET.get("id", ""),
    }
    if request.GET.get("part"):
        return render(request, "operations/parts/approval_list.html", context)
    if context["chosen"]:
        context |= approval_context(actor, context["chosen"])
    elif items:
        context |= approval_context(actor, str(items[0].approval.id)) | {"chosen": str(items[0].approval.id)}
    return render(request, "operations/approvals.html", context)


@require_GET
@page
def approval_detail(request: HttpRequest, actor: Principal, approval_id: UUID) -> HttpResponse:
    """The detail pane of one item."""
    return render(request, "operations/parts/approval_detail.html", approval_context(actor, str(approval_id)))


def approval_context(actor: Principal, approval_id: str) -> dict[str, Any]:
    """What the checker decides on: the effect in figures of now, the checks as they ran, the maker's input below."""
    try:
        wanted = UUID(approval_id)
    except ValueError as error:
        raise Invalid("APPROVAL_UNKNOWN", "That is not the id of an approval.") from error
    at = utc_now()
    item = get_approval(actor=actor, approval_id=wanted, at=at)
    context: dict[str, Any] = {"item": item, "approval": item.approval, "decline_reasons": DECLINE_REASONS}
    if item.request is not None:
        context |= effect_of(item)
    elif (known := KINDS.get(item.approval.kind)) and known.describe:
        context["effect"] = known.describe(actor, item.approval, at)
    return context


def effect_of(item: WaitingItem) -> dict[str, Any]:
    """Quantity, price and value asked for against what holds now, and the money behind it."""
    request = item.request
    assert request is not None
    order = request.order
    asked = request.payload
    kind = request.kind
    qty, price = _decimal(asked.get("order_qty")), _decimal(asked.get("price"))
    if kind == "replace":
        qty = qty if qty is not None else order.order_qty
        price = price if price is not None else order.price
    money = read_money([order.account_id])[order.account_id]
    value = money_of(qty, price, order)
    return {
        "order": order,
        "request": request,
        "kind": kind,
        "new_qty": qty,
        "new_price": price,
        "new_value": value if value is not None else _judged_value(request.checks),
        "value_is_estimate": value is None,
        "now_value": money_of(order.order_qty, order.price, order) if kind == "replace" else None,
        "available": money.available_cash(order.listing.currency),
        "is_buy": Side(order.side).is_buy,
        **sort_checks(tuple(answer_from_json(stored) for stored in request.checks)),
    }


def _judged_value(checks: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """What the checks took an order without a limit to be worth, at the price they saw."""
    stored = next((check for check in checks if check["code"] == OrderNotionalLimit.code), None)
    return _decimal(stored.get("facts", {}).get("notional")) if stored else None


def _decimal(text: Any) -> Decimal | None:
    return Decimal(text) if text not in (None, "") else None


@require_POST
@page
def decide(request: HttpRequest, actor: Principal, approval_id: UUID) -> HttpResponse:
    """Approve or decline what was shown: the decision carries the hash of the page it was made on."""
    data = request.POST.dict()
    verdict = str(data.get("verdict", ""))
    if verdict not in ("approve", "decline"):
        raise Invalid("VERDICT_UNKNOWN", "Approve or decline.")
    kind = get_approval(actor=actor, approval_id=approval_id, at=utc_now()).approval.kind
    reason_code = APPROVE_REASON
    if verdict == "decline":
        reason_code = read_choice(data, "reason_code", DECLINE_REASONS, "Choose why it is declined.")
    known = KINDS.get(kind)
    if known is None:
        raise Invalid("APPROVAL_UNKNOWN", "Nobody decides such a request on this page.")
    result = known.decide(
        actor=actor,
        at=utc_now(),
        authorisation_id=approval_id,
        verdict=verdict,
        reason_code=reason_code,
        reason=str(data.get("reason", "")).strip()[:2000],
        payload_hash=str(data.get("payload_hash", "")),
    )
    context = approval_context(actor, str(approval_id)) | {"decided": result}
    return render(request, "operations/parts/approval_detail.html", context)


@require_GET
@page
def exceptions(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The list, worst first; with ``part`` the list alone."""
    view = request.GET.get("view", "open")
    view = view if view in EXCEPTION_VIEWS else "open"
    context = {
        "items": list_exceptions(actor=actor, view=view),
        "view": view,
        "views": EXCEPTION_VIEWS,
        "at": utc_now(),
    }
    template = "operations/parts/exception_list.html" if request.GET.get("part") else "operations/exceptions.html"
    return render(request, template, context)


@require_GET
@page
def exception_detail(request: HttpRequest, actor: Principal, item_id: UUID) -> HttpResponse:
    """What is wrong, what we believe, and the evidence."""
    item = get_exception(actor=actor, item_id=item_id)
    context = {"item": item, "at": utc_now(), "part": request.GET.get("part"), **suspense_of(item, actor)}
    template = "operations/parts/exception_detail.html" if context["part"] else "operations/exception.html"
    return render(request, template, context)


@require_GET
@page
def search(request: HttpRequest, actor: Principal) -> HttpResponse:
    """One box for every identifier; a single exact hit is the answer itself."""
    query = request.GET.get("q", "").strip()[:4000]
    orders, exact = find_orders(actor=actor, query=query) if query else ([], False)
    if exact and len(orders) == 1:
        return HttpResponseRedirect(f"/o/{orders[0].ref}")
    context = {"query": query, "orders": orders, "exact": exact}
    return render(request, "operations/search.html", context)
