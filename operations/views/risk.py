"""The risk page: the kill switch on top, what stops trading now, and sections that load themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.selectors.scopes import SCOPE_WORDS, find_scope
from operations.selectors.stop_proof import get_stop_proof, list_stop_proofs
from operations.selectors.stops import list_standing
from operations.views.edge import actor_may, is_part, page
from orders.selectors.stopping import count_reach
from risk.permissions import ASK_RISK_CHANGE, ENGAGE_KILL_SWITCH, require_scope
from risk.services.engage_kill_switch import engage_kill_switch
from risk.services.request_stop_release import request_stop_release

MOST_STOPS = 50
NO_RIGHT = "Your role may not press the kill switch."


@require_GET
@page
def risk(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page; with ``part`` the stops and blocks alone."""
    context = _stops(actor) | {"scopes": SCOPE_WORDS, "why_not": "" if _may_press(actor) else NO_RIGHT}
    template = "operations/parts/stops.html" if request.GET.get("part") else "operations/risk.html"
    return render(request, template, context)


@require_GET
@page
def kill_reach(request: HttpRequest, actor: Principal) -> HttpResponse:
    """What a press would stop, as typed: the words of the button, or what is wrong with the scope."""
    scope, scope_id = find_scope(actor, request.GET.get("scope", ""), request.GET.get("name", ""))
    name = require_scope(actor, scope, scope_id)
    context = {"name": name, "reach": count_reach(scope=scope, scope_id=scope_id), "at": utc_now()}
    return render(request, "operations/parts/kill_reach.html", context)


@require_GET
@page
def stop(request: HttpRequest, actor: Principal, stop_id: UUID) -> HttpResponse:
    """The proof of one stop, order by order; with ``part`` what changes by itself."""
    context = {"proof": get_stop_proof(actor=actor, stop_id=stop_id)}
    template = "operations/parts/stop_proof.html" if request.GET.get("part") else "operations/stop.html"
    return render(request, template, context)


@require_POST
@page
def kill(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Press it. The button was held for a second, or the scope typed once more: either says that it was meant."""
    scope, name = request.POST.get("scope", ""), request.POST.get("name", "").strip()
    pair = find_scope(actor, scope, name)
    typed = request.POST.get("typed", "").strip().casefold()
    if request.POST.get("held") != "yes" and typed != (name or scope).casefold():
        sentence = f"Hold the button for a second, or type {name or scope}."
        raise Invalid("NOT_MEANT", sentence, {"typed": [sentence]})
    engage_kill_switch(actor=actor, at=utc_now(), scopes=[pair], reason=request.POST.get("reason", ""))
    if is_part(request):
        return render(request, "operations/parts/stops.html", _stops(actor))
    return redirect("risk")


@require_POST
@page
def kill_release(request: HttpRequest, actor: Principal, stop_id: UUID) -> HttpResponse:
    """Ask a second person to let a stop go."""
    reason = request.POST.get("reason", "")
    asked = request_stop_release(actor=actor, at=utc_now(), stop_id=stop_id, reason=reason)
    if is_part(request):
        return render(request, "operations/parts/stops.html", _stops(actor) | {"asked": asked})
    return redirect("risk")


def _may_press(actor: Principal) -> bool:
    return actor_may(actor, ENGAGE_KILL_SWITCH)


def _stops(actor: Principal) -> dict[str, Any]:
    standing = list_standing()
    return {
        "stops": list_stop_proofs([one for one in standing if one.is_stop][:MOST_STOPS]),
        "blocks": [one for one in standing if not one.is_stop],
        "may_ask": _may_press(actor) or actor_may(actor, ASK_RISK_CHANGE),
    }
