"""The order page, and amending and cancelling from it or from the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from authorisation.domain.principal import ENTER_ORDER, Principal
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotPermitted, OmsError
from kernel.fix import TimeInForce
from kernel.ids import new_id
from operations.domain.shown_status import shown_status
from operations.forms import CANCEL_REASONS, TIME_IN_FORCE_CHOICES, read_choice, read_replace
from operations.permissions import SEARCH_AUDIT
from operations.selectors.as_at import get_page_as_at
from operations.selectors.order_page import get_order_page, get_visible_order, get_visible_orders
from operations.selectors.recon.breaks import list_breaks_of_order
from operations.views.edge import actor_may, page
from operations.views.ticket import closest, sort_checks
from orders.domain.results import RequestResult
from orders.domain.suspense import excess_units
from orders.domain.terms import ReplaceTerms
from orders.domain.venue_rules import may_be_replaced
from orders.models import Order
from orders.permissions import require_cancelling, require_trading
from orders.services.cancel_order import cancel_order
from orders.services.preview_replace import preview_replace
from orders.services.replace_order import replace_order
from orders.services.stage_replace import stage_replace

ROUTE = "ticket"
MOST_CANCELS = 200
TYPE_THE_COUNT_ABOVE = 10


@dataclass(frozen=True, slots=True)
class Change:
    """One line of an amend: what holds now, what is asked for, the difference."""

    name: str
    now: Decimal | None
    asked: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        return self.asked - self.now if self.now is not None and self.asked is not None else None

    @property
    def percent(self) -> Decimal | None:
        return (
            (100 * self.difference / self.now).quantize(Decimal("0.01"))
            if self.difference is not None and self.now
            else None
        )


@dataclass(frozen=True, slots=True)
class CancelLine:
    """One order of a cancel: eligible, or why not; after sending, what came of it."""

    order: Order
    why_not: str
    result: RequestResult | None = None
    error: OmsError | None = None


def why_not_acting(actor: Principal, order: Order, *, amending: bool = False) -> str:
    """Why this actor cannot cancel (or amend) this order now; empty when nothing stands against it."""
    revivable = may_be_replaced(is_open=order.is_open, ord_status=order.ord_status, venue_rules=order.venue_rules)
    if not (revivable if amending else order.is_open):
        shown = shown_status(
            ord_status=order.ord_status,
            request_state=order.request_state,
            overfilled=order.overfilled,
            excess_accepted=order.excess_accepted,
        )
        return f"The order is not working: {shown.text}."
    try:
        require_trading(actor, desk_id=order.desk_id, group_id=order.account.group_id, cancelling=not amending)
    except NotPermitted as error:
        return error.sentence
    return ""


@require_GET
@page
def order_page(request: HttpRequest, actor: Principal, name: str) -> HttpResponse:
    """One order, whole; with ``part`` only what the stream refreshes."""
    order = get_visible_order(actor, name)
    context = {
        "page": get_order_page(order=order),
        "breaks": list_breaks_of_order(actor=actor, order_id=order.pk),
        "order": order,
        "why_not": why_not_acting(actor, order),
        "why_not_amending": why_not_acting(actor, order, amending=True),
        "value": money_of(order.order_qty, order.price, order),
        "at": utc_now(),
        "may_take_evidence": actor_may(actor, SEARCH_AUDIT),
    }
    template = "operations/parts/order_body.html" if request.GET.get("part") else "operations/order.html"
    return render(request, template, context)


@require_GET
@page
def order_as_at(request: HttpRequest, actor: Principal, name: str, seq: int) -> HttpResponse:
    """The order as it was after one of its events, and what stood around it."""
    order = get_visible_order(actor, name)
    as_at = get_page_as_at(order=order, seq=seq)
    row = as_at.row
    status = shown_status(
        ord_status=row["ord_status"],
        request_state=row["request_state"],
        overfilled=row["overfilled"],
        excess_accepted=_is_accepted(row),
    )
    return render(request, "operations/order_as_at.html", {"order": order, "as_at": as_at, "status": status})


def _is_accepted(row: Mapping[str, Any]) -> bool:
    return not excess_units(cum_qty=row["cum_qty"], order_qty=row["order_qty"], accepted=row["accepted_excess"])


def money_of(qty: Decimal | None, price: Decimal | None, order: Order) -> Decimal | None:
    """Quantity at price in major units of the settlement currency; None without a price."""
    return qty * price / order.listing.price_divisor if qty is not None and price is not None else None


@require_http_methods(["GET", "POST"])
@page
def amend(request: HttpRequest, actor: Principal, name: str) -> HttpResponse:
    """The amend form, and the amend itself under the form's key."""
    actor.require(ENTER_ORDER, "Your role may not amend orders.")
    order = get_visible_order(actor, name)
    if request.method == "POST":
        data = request.POST.dict()
        ask = stage_replace if data.get("staged") else replace_order
        result = ask(
            actor=actor,
            at=utc_now(),
            idempotency_key=str(data.get("key", "")),
            route=ROUTE,
            order_id=order.pk,
            terms=asked_of(read_replace(data), order),
        )
        context = {"result": result, "order": order, "what": "Amend", **sort_checks(result.checks)}
        status = 422 if result.outcome == "refused" else 200
        return render(request, "operations/parts/request_result.html", context, status=status)
    context = {
        "order": order,
        "key": str(new_id()),
        "why_not": why_not_acting(actor, order, amending=True),
        "times_in_force": TIME_IN_FORCE_CHOICES,
        "part": request.GET.get("part"),
        "form": "operations/parts/amend.html",
    }
    return render(request, context["form"] if context["part"] else "operations/form_page.html", context)


def asked_of(terms: ReplaceTerms, order: Order) -> ReplaceTerms:
    """Only what really differs from what holds now. Raises Invalid when nothing does."""
    changed = ReplaceTerms(
        order_qty=terms.order_qty if terms.order_qty != order.order_qty else None,
        price=terms.price if terms.price != order.price else None,
        stop_px=terms.stop_px if terms.stop_px != order.stop_px else None,
        time_in_force=terms.time_in_force if terms.time_in_force != order.time_in_force else None,
        expire_date=terms.expire_date if terms.expire_date != order.expire_date else None,
    )
    if changed == ReplaceTerms():
        raise Invalid("NOTHING_CHANGES", "Nothing differs from what holds now.")
    return changed


@require_POST
@page
def amend_preview(request: HttpRequest, actor: Principal, name: str) -> HttpResponse:
    """What the amend would change, line by line, and the button that says it."""
    order = get_visible_order(actor, name)
    context: dict[str, Any] = {"order": order, "why_not": why_not_acting(actor, order, amending=True)}
    try:
        terms = asked_of(read_replace(request.POST.dict()), order)
        qty = terms.order_qty if terms.order_qty is not None else order.order_qty
        price = terms.price if terms.price is not None else order.price
        lines = [
            Change("Quantity", order.order_qty, terms.order_qty),
            Change(f"Limit, {order.listing.price_unit}", order.price, terms.price),
            Change(f"Stop, {order.listing.price_unit}", order.stop_px, terms.stop_px),
        ]
        context |= {
            "changes": [line for line in lines if line.asked is not None],
            "value_change": Change(
                f"Value, {order.listing.currency}",
                money_of(order.order_qty, order.price, order),
                money_of(qty, price, order),
            ),
            "new_qty": qty,
            "new_price": price,
            "new_lasts": TimeInForce(terms.time_in_force) if terms.time_in_force else None,
        }
        if not context["why_not"]:
            context["close_to"] = closest(preview_replace(actor=actor, at=utc_now(), order_id=order.pk, terms=terms))
    except (Invalid, Conflict) as error:
        context["error"] = error
    return render(request, "operations/parts/amend_preview.html", context)


@require_http_methods(["GET", "POST"])
@page
def cancel(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Cancel one or several orders: every line eligible or with its reason before, each with its outcome after."""
    require_cancelling(actor)
    data = request.POST if request.method == "POST" else request.GET
    refs = [ref for ref in data.get("refs", "").split(",") if ref][:MOST_CANCELS]
    if not refs:
        raise Invalid("NO_ORDERS", "No order was chosen.")
    lines = [CancelLine(order, why_not_acting(actor, order)) for order in get_visible_orders(actor, refs)]
    ready = [line for line in lines if not line.why_not]
    context: dict[str, Any] = {
        "lines": lines,
        "ready": ready,
        "refs": ",".join(refs),
        "key": str(new_id()),
        "reasons": CANCEL_REASONS,
        "type_count": len(ready) > TYPE_THE_COUNT_ABOVE,
        "part": data.get("part"),
        "form": "operations/parts/cancel.html",
    }
    if request.method == "POST":
        reason = read_choice(request.POST.dict(), "reason", CANCEL_REASONS, "Choose why.")
        if context["type_count"] and data.get("count", "").strip() != str(len(ready)):
            raise Invalid("COUNT_DIFFERS", f"Type the number of orders, {len(ready)}, to cancel them all.")
        context["lines"] = [send_cancel(actor, line, key=data.get("key", ""), reason=reason) for line in lines]
        return render(request, "operations/parts/cancel_result.html", context)
    return render(request, context["form"] if context["part"] else "operations/form_page.html", context)


def send_cancel(actor: Principal, line: CancelLine, *, key: str, reason: str) -> CancelLine:
    """One cancel under its own part of the form's key; an error stays with its line and stops no other."""
    if line.why_not:
        return line
    try:
        result = cancel_order(
            actor=actor,
            at=utc_now(),
            idempotency_key=f"{key}:{line.order.ref}",
            route=ROUTE,
            order_id=line.order.pk,
            reason=CANCEL_REASONS[reason],
        )
    except OmsError as error:
        return CancelLine(line.order, "", error=error)
    return CancelLine(line.order, "", result=result)
