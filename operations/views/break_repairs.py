"""Mending a break from its page: one form with a reason, a button a way, the two sides of a match by hand; and working on it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound, Refused
from kernel.ids import new_id
from operations.domain.exception_kinds import GROUPS
from operations.permissions import WORK_EXCEPTION, require_work
from operations.selectors.exceptions import list_history
from operations.selectors.recon.break_page import get_break, get_break_detail
from operations.selectors.recon.breaks import with_matters
from operations.selectors.recon.matching import get_match_page
from operations.services.link_exception import KINDS as LINKS
from operations.views.edge import is_part, page
from operations.views.exceptions import ACTS
from reconciliation.domain.repairs import Repair
from reconciliation.models import Break, OutsideName
from reconciliation.selectors.repairs import pending_request, ways_of
from reconciliation.services.ask_repair import ask_repair
from reconciliation.services.match_by_hand import match_by_hand

ROUTE = "break_page"
MOST_PICKED = 200
WORK = ("take", "comment", "assign", "link", "label", "snooze")
"""What is done about a break beside mending it: the acts of its exception."""
SUGGESTED = (Repair.BOOK.value, Repair.STATE.value, Repair.WRITE_OFF.value)
"""What the keyboard offers first, where it may be asked: the others say that nothing is wrong, and want to be chosen."""


def break_context(actor: Principal, item: Break, at: datetime) -> dict[str, Any]:
    """All that a break's page shows and offers, on its own as beside the list of its run."""
    detail = get_break_detail(actor=actor, item=item, at=at)
    matter = detail.row.matter
    return {
        "detail": detail,
        "at": at,
        "history": list_history(matter) if matter is not None else [],
        "why_not_work": "" if WORK_EXCEPTION in actor.rights else "Your role only reads exceptions.",
        "groups": GROUPS,
        "link_kinds": LINKS,
        "is_mine": matter is not None and matter.owner_id == actor.user_id,
        **_acts_of(actor, item),
    }


def _acts_of(actor: Principal, item: Break) -> dict[str, Any]:
    """Every way to mend it with why not, the request that waits, a key for what is sent."""
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
    return _drawn(request, actor, ref, at, asked=asked.sentence)


@require_POST
@page
def work(request: HttpRequest, actor: Principal, ref: str, act: str) -> HttpResponse:
    """Take it, comment on it, give it to somebody or link it: acts on the exception that the break raised; the break drawn anew."""
    item, at = get_break(actor=actor, ref=ref), utc_now()
    require_work(actor)
    matter = with_matters(actor, [item], at=at)[0].matter
    if act not in WORK:
        raise NotFound("ACT_UNKNOWN", "There is no such thing to do with a break.")
    if matter is None:
        raise Refused("BREAK_NOBODYS", f"{item.ref} has no open exception that you may see: nobody has to work on it.")
    done = ACTS[act](request.POST, {"actor": actor, "at": at, "item_id": matter.pk})
    if not is_part(request):
        return redirect("break", ref=item.ref)
    return _drawn(request, actor, ref, at, told=done.sentence)


def _drawn(request: HttpRequest, actor: Principal, ref: str, at: datetime, **said: str) -> HttpResponse:
    """The break as it stands now, with what came of the act; lists of breaks and exceptions draw themselves anew."""
    context = break_context(actor, get_break(actor=actor, ref=ref), at) | said
    response = render(request, "operations/parts/break_detail.html", context)
    response.headers["HX-Trigger"] = "break-moved, oms:exceptions"
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
