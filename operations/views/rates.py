"""Rates, breakers and canaries: what is used of each mark, what stopped by itself, and the form that asks for another mark."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import DECIDE_RISK_CHANGE, Principal
from journal.selectors.processes import list_processes, why_clock_is_off, why_different
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.selectors.rates import (
    find_subject,
    list_breakers,
    list_session_rates,
    list_source_rates,
    subject_name,
)
from operations.views.edge import actor_may, is_part, page
from risk.domain.rates import FROM_THE_START, POLICY, RateKind, RateMark
from risk.permissions import ASK_RISK_CHANGE
from risk.selectors.canaries import last_canary_run
from risk.services.request_rate_change import RateChangeAsked, request_rate_change

NO_RIGHT = "Your role may not ask for changes of rates."
NUMBERS = ("amount", "seconds", "burst", "share", "pause_s")


@require_GET
@page
def rates(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page; with ``part`` what moves, with ``section`` the few lines that stand on the page of stops."""
    if request.GET.get("section"):
        return render(request, "operations/parts/rate_section.html", _state())
    template = "operations/parts/rate_state.html" if request.GET.get("part") else "operations/rates.html"
    return render(request, template, _state() | _rates(actor) | _form(actor))


@require_POST
@page
def ask(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask a second person for another mark."""
    mark = read_mark(actor, request.POST.dict())
    asked = request_rate_change(
        actor=actor, at=utc_now(), mark=mark, reason=request.POST.get("reason", ""), name=subject_name(mark.subject)
    )
    if is_part(request):
        return render(request, "operations/parts/rate_form.html", _form(actor) | {"asked": asked})
    return redirect("rates")


def read_mark(actor: Principal, data: dict[str, Any]) -> RateMark:
    """The mark as typed; raises Invalid RATE_INVALID with a sentence a field, NotFound for a name nobody has."""
    faults: dict[str, list[str]] = {}
    values: dict[str, int] = {}
    for name in NUMBERS:
        text = str(data.get(name, "")).replace(",", "").strip() or "0"
        if text.isascii() and text.isdecimal() and len(text) <= 9:
            values[name] = int(text)
        else:
            faults[name] = ["A whole number."]
    kind = str(data.get("kind", ""))
    if kind not in set(RateKind):
        faults["kind"] = ["Choose what is counted."]
    if faults:
        raise Invalid("RATE_INVALID", "The mark cannot be set so.", faults)
    return RateMark(
        kind=RateKind(kind),
        amount=values["amount"],
        seconds=values["seconds"],
        burst=values["burst"],
        share=values["share"],
        pause_s=values["pause_s"],
        subject=find_subject(actor, RateKind(kind), str(data.get("subject", "")).strip()[:200]),
    )


def _state() -> dict[str, Any]:
    """Breakers, canaries and processes: the same for everybody."""
    at, processes = utc_now(), list_processes()
    breakers = list_breakers(at=at)
    return {
        "at": at,
        "breakers": breakers,
        "not_closed": [line for line in breakers if line.breaker.state != "closed"],
        "canaries": last_canary_run(),
        "processes": processes,
        "differ": why_different(processes) or why_clock_is_off(processes),
    }


def _rates(actor: Principal) -> dict[str, Any]:
    """Sessions for everybody; other people's sources for whoever has to do with risk."""
    at = utc_now()
    sees_all = actor_may(actor, ASK_RISK_CHANGE) or actor_may(actor, DECIDE_RISK_CHANGE)
    sources = list_source_rates(at=at, only="" if sees_all else actor.actor)
    return {"sessions": list_session_rates(at=at), "sources": sources, "sees_all": sees_all}


def _form(actor: Principal, asked: RateChangeAsked | None = None) -> dict[str, Any]:
    return {
        "kinds": [(kind.value, FROM_THE_START[kind].words, POLICY[kind]) for kind in RateKind],
        "why_not": "" if actor_may(actor, ASK_RISK_CHANGE) else NO_RIGHT,
        "asked": asked,
    }
