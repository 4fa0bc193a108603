"""Trials of draft rules and limits on past orders: begun from either editor, followed and stopped by whoever began them."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound
from operations.models import Trial
from operations.services.start_trial import start_trial
from operations.services.stop_trial import stop_trial
from operations.views.edge import page
from operations.views.limits import draft_limit, read_change
from operations.views.rules import read_rule
from risk.permissions import require_scope
from risk.services.request_rule_change import entered


@require_POST
@page
def try_rule(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Try the rule as typed."""
    given, conditions = read_rule(actor, request.POST.dict())
    draft = entered("rule", given, conditions)
    trial_id = start_trial(
        actor=actor, at=utc_now(), about="rule", draft=draft, name=f"rule {draft['code']}", days=_days(request)
    )
    return _shown(request, actor, trial_id)


@require_POST
@page
def try_limit(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Try the limit as typed."""
    at = utc_now()
    change = read_change(actor, request.POST)
    name = require_scope(actor, change.scope, change.scope_id)
    faults = change.faults(at)
    if faults or change.hard is None:
        said = faults or {"hard": ["Give the mark to try."]}
        raise Invalid("LIMIT_CHANGE_INVALID", next(iter(said.values()))[0], said)
    draft = draft_limit(change)
    trial_id = start_trial(actor=actor, at=at, about="limit", draft=draft, name=change.words(name), days=_days(request))
    return _shown(request, actor, trial_id)


@require_GET
@page
def trial(request: HttpRequest, actor: Principal, trial_id: UUID) -> HttpResponse:
    """How far it is, and what it found."""
    return _shown(request, actor, trial_id)


@require_POST
@page
def trial_stop(request: HttpRequest, actor: Principal, trial_id: UUID) -> HttpResponse:
    """Stop it."""
    stop_trial(actor=actor, at=utc_now(), trial_id=trial_id)
    return _shown(request, actor, trial_id)


def _days(request: HttpRequest) -> int:
    text = request.POST.get("days", "").strip()
    return int(text) if text.isdecimal() and len(text) < 5 else 0


def _shown(request: HttpRequest, actor: Principal, trial_id: UUID) -> HttpResponse:
    found = Trial.objects.filter(id=trial_id, owner_id=actor.user_id).first()
    if found is None:
        raise NotFound("TRIAL_UNKNOWN", "There is no such trial of yours.")
    return render(request, "operations/parts/trial.html", {"trial": found})
