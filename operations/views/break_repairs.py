"""Mending a break from its page: one form with a reason, a button a way, and the two sides of a match by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.ids import new_id
from operations.selectors.recon.break_page import get_break, get_break_detail
from operations.selectors.recon.matching import get_match_page
from operations.views.edge import is_part, page
from reconciliation.domain.repairs import Repair
from reconciliation.models import Break, OutsideName
from reconciliation.selectors.repairs import pending_request, ways_of
from reconciliation.services.ask_repair import ask_repair
from reconciliation.services.match_by_hand import match_by_hand

ROUTE = "break_page"
MOST_PICKED = 200
SUGGESTED = (Repair.BOOK.value, Repair.STATE.value, Repair.WRITE_OFF.value)
"""What the keyboard offers first, where it may be asked: the others say that nothing is wrong, and want to be chosen."""


def acts_of(actor: Principal, item: Break) -> dict[str, Any]:
    """What the page offers: every way with why not, the request that waits, a key for what is sent."""
    ways = {way.repair.value: way for way in ways_of(actor, item)} if item.closed_at is None else {}
    return {
        "ways": ways,
        "first": next((name for name in SUGGESTED if name in ways and ways[name].may), ""),
        "waiting": pending_request(item.pk) if ways else None,
        "key": str(new_id()),
        "things": OutsideName.What.choices,
    }


@require_POST
@page
def repair(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """Ask a second person for one way of mending it; the break is drawn anew with what was asked."""
    item, at = get_break(actor=actor, ref=ref), utc_now()
    asked = ask_repair(
        actor=actor,
        at=at,
        idempotency_key=request.POST.get("key", "")[:64],
        route=ROUTE,
        break_id=item.pk,
        repair=request.POST.get("repair", ""),
        reason=request.POST.get("reason", ""),
        until=_day(request.POST.get("until", "")),
        what=request.POST.get("what", ""),
        theirs=request.POST.get("theirs", "")[:64],
        ours=request.POST.get("ours", "")[:64],
    )
    if not is_part(request):
        return redirect("break", ref=item.ref)
    item = get_break(actor=actor, ref=ref)
    detail = get_break_detail(actor=actor, item=item, at=at)
    context = {"detail": detail, "at": at, "asked": asked.sentence, **acts_of(actor, item)}
    return _moved(render(request, "operations/parts/break_detail.html", context))


def _moved(response: HttpResponse) -> HttpResponse:
    response.headers["HX-Trigger"] = "break-moved"
    return response


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid("REPAIR_INVALID", "That is no day.", {"until": ["That is no day."]}) from error


@require_GET
@page
def matching(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """Records of both sides to pick from, and what is picked differs by; with ``part`` that line alone."""
    item, at = get_break(actor=actor, ref=ref), utc_now()
    picked = _picked(request.GET.getlist("pick")) or {item.number}
    ways = {way.repair.value: way for way in ways_of(actor, item)}
    context = {
        "item": item,
        "match": get_match_page(actor=actor, item=item, picked=picked, at=at),
        "why_not": ways[Repair.MATCH.value].why_not,
        "key": str(new_id()),
        "at": at,
    }
    template = "operations/parts/break_weighed.html" if request.GET.get("part") else "operations/break_match.html"
    return render(request, template, context)


@require_POST
@page
def match(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """Match what was picked: within the tolerance at once, beyond it after a second person's word. Then the break."""
    item = get_break(actor=actor, ref=ref)
    numbers = _picked(request.POST.getlist("pick"))
    chosen = [get_break(actor=actor, ref=f"BRK-{number}") for number in sorted(numbers)]
    match_by_hand(
        actor=actor,
        at=utc_now(),
        idempotency_key=request.POST.get("key", "")[:64],
        route=f"{ROUTE}.match",
        break_ids=[one.pk for one in chosen],
        reason=request.POST.get("reason", ""),
    )
    if not is_part(request):
        return redirect("break", ref=item.ref)
    response = HttpResponse(status=204)
    response.headers["HX-Redirect"] = f"/b/{item.ref}"
    return response


def _picked(texts: Iterable[str]) -> set[int]:
    found = {int(text) for text in texts if text.isdecimal() and len(text) <= 12}
    if len(found) > MOST_PICKED:
        raise Invalid("MATCH_TOO_MANY", f"At most {MOST_PICKED} records at once.")
    return found
