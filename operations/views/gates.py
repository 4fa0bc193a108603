"""``/sync/gates``: what the start of day keeps from trading, who opened which gate for how long, and a form to ask a second person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from operations.selectors.audit.timeline import names_of_actors
from operations.selectors.gates import may_ask, may_withdraw
from operations.views.edge import led_to, page
from operations.views.positions import read_moment
from reconciliation.models import Feed
from reconciliation.permissions import require_work
from reconciliation.selectors.gates import list_gates, list_openings
from reconciliation.services.ask_gate_override import ask_gate_override
from reconciliation.services.withdraw_gate_override import withdraw_gate_override


@require_GET
@page
def gates(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Gates that stand, openings newest first, and the form."""
    at = utc_now()
    standing = list_gates(at=at)
    openings = list_openings()
    names = names_of_actors({name for one in openings for name in (one.asked_by, one.waiver.granted_by)})
    context = {
        "gates": standing,
        "feeds": Feed.objects.filter(code__in={gate.feed for gate in standing}).order_by("code"),
        "openings": [(one, names[one.asked_by], names[one.waiver.granted_by]) for one in openings],
        "why_not_ask": may_ask(actor),
        "why_not_withdraw": may_withdraw(actor),
        "at": at,
    }
    return render(request, "operations/gates.html", context)


@require_POST
@page
def ask(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Put it before a second person."""
    require_work(actor)
    said = request.POST
    ask_gate_override(
        actor=actor, at=utc_now(), feed=said.get("feed", "")[:24], account=said.get("account", "").strip()[:40],
        reason=said.get("reason", ""), evidence=said.get("evidence", ""), until=_until(said.get("until", "")),
    )  # fmt: skip
    return led_to(request, "sync-gates")


def _until(text: str) -> datetime | None:
    return read_moment(text)


@require_POST
@page
def withdraw(request: HttpRequest, actor: Principal, waiver_id: UUID) -> HttpResponse:
    """Shut it again."""
    withdraw_gate_override(actor=actor, at=utc_now(), waiver_id=waiver_id, reason=request.POST.get("reason", ""))
    return led_to(request, "sync-gates")
