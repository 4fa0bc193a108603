"""FIX sessions: their cards, and the page of one with its recovery, what it has not answered, and its switches."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.services.pause_flow import is_paused
from operations.views.edge import is_part, page
from orders.permissions import visible_desks, visible_groups
from venues.permissions import may_open_gate, may_switch_session
from venues.selectors import get_session, list_sessions
from venues.selectors.inquiries import list_open_inquiries
from venues.selectors.recoveries import list_differences
from venues.services.ask_now import ask_now
from venues.services.open_recovery_gate import open_recovery_gate
from venues.services.set_session_enabled import set_session_enabled


@require_GET
@page
def sessions(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Every FIX session with its state, numbers and queue; with ``part`` the cards alone."""
    context = {"sessions": list_sessions(actor), "at": utc_now(), "flow_paused": is_paused()}
    template = "operations/parts/session_cards.html" if request.GET.get("part") else "operations/venues.html"
    return render(request, template, context)


@require_GET
@page
def session(request: HttpRequest, actor: Principal, name: str) -> HttpResponse:
    """One session: recovery, unanswered requests, switches, timeline and messages; with ``part`` what changes by itself."""
    template = "operations/parts/session_live.html" if request.GET.get("part") else "operations/session.html"
    return render(request, template, _context(actor, name))


@require_POST
@page
def ask(request: HttpRequest, actor: Principal, name: str) -> HttpResponse:
    """Ask the venue now about every unanswered request of the session."""
    ask_now(actor=actor, at=utc_now(), name=name)
    if is_part(request):
        return render(request, "operations/parts/session_live.html", _context(actor, name))
    return redirect("session", name=name)


@require_POST
@page
def switch(request: HttpRequest, actor: Principal, name: str) -> HttpResponse:
    """Stop or allow new orders on the session."""
    wanted = request.POST.get("enabled", "")
    if wanted not in ("yes", "no"):
        raise Invalid("SWITCH_INVALID", "Say whether new orders are allowed or stopped.")
    reason = request.POST.get("reason", "")[:500]
    set_session_enabled(actor=actor, at=utc_now(), name=name, enabled=wanted == "yes", reason=reason)
    return redirect("session", name=name)


@require_POST
@page
def gate(request: HttpRequest, actor: Principal, name: str) -> HttpResponse:
    """Open the gate of a recovery that does not end. The name of the session is typed, so that no other is meant."""
    if request.POST.get("typed", "").strip() != name:
        raise Invalid("NAME_NOT_TYPED", f"Type {name} to say that you mean this session.")
    open_recovery_gate(actor=actor, at=utc_now(), name=name, reason=request.POST.get("reason", "")[:500])
    return redirect("session", name=name)


def _context(actor: Principal, name: str) -> dict[str, Any]:
    detail = get_session(actor, name=name)
    recovery = detail.session.recovery
    desks, groups = sorted(visible_desks(actor)), sorted(visible_groups(actor))
    return {
        "detail": detail,
        "at": utc_now(),
        "recovery": recovery,
        "overdue": recovery is not None and recovery.overdue_at and not recovery.opened_at and not recovery.finished_at,
        "differences": list_differences(actor, session=name),
        "inquiries": list_open_inquiries(sessions=[name], desks=desks, groups=groups),
        "may_switch": may_switch_session(actor),
        "may_open": may_open_gate(actor),
    }
