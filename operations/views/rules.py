"""The rulebook's page: rules with their state, the restricted list for compliance, mandates, collars, marks of conduct.

Nothing is changed here: a form asks for a change, a second person decides about it on the approvals page.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, OmsError
from operations.selectors.rule_changes import condition_words
from operations.selectors.rulebook import get_rulebook_view, rule_as_typed
from operations.selectors.scopes import SCOPE_WORDS, find_scope
from operations.services.start_trial import summary_for
from operations.views.edge import actor_may, page
from refdata.domain.sessions import Phase
from refdata.models import Instrument
from risk.domain.rulebook.conditions import Operator
from risk.domain.rulebook.entering import TypedCondition
from risk.domain.rulebook.entering_marks import ANSWERS
from risk.domain.vocabulary import VOCABULARY
from risk.permissions import ASK_RISK_CHANGE, SEE_RESTRICTIONS
from risk.services.request_restriction import request_restriction, request_restriction_end
from risk.services.request_rule_change import entered, request_rule_change

LINES = 5
NO_RIGHT = "Your role may not ask for changes of rules."
FOR_COMPLIANCE = "Restrictions are for compliance alone."
RESTRICTION_SCOPES = ("firm", "desk", "dealer", "client", "account", "strategy")


@require_GET
@page
def rules(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page; ``rule`` opens that rule in the editor."""
    chosen = rule_as_typed(request.GET.get("rule", "")[:40])
    typed = [*chosen["conditions"], *[{}] * LINES][:12]
    context = {
        "book": get_rulebook_view(actor, at=utc_now()),
        "chosen": chosen,
        "lines": list(enumerate(typed[: max(LINES, len(chosen["conditions"]) + 1)], 1)),
        "vocabulary": VOCABULARY,
        "operators": [operator.value for operator in Operator],
        "answers": ANSWERS,
        "phases": [phase.value for phase in Phase],
        "asset_classes": Instrument.AssetClass.values,
        "scopes": SCOPE_WORDS,
        "restriction_scopes": {scope: SCOPE_WORDS[scope] for scope in RESTRICTION_SCOPES},
        "why_not": "" if actor_may(actor, ASK_RISK_CHANGE) else NO_RIGHT,
        "why_not_restrict": "" if actor_may(actor, SEE_RESTRICTIONS) else FOR_COMPLIANCE,
        "at": utc_now(),
    }
    return render(request, "operations/rules.html", context)


@require_POST
@page
def rule_check(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The rule as typed: in words, or one sentence a field. Nothing is kept."""
    faults: Mapping[str, list[str]] = {}
    words: list[str] = []
    try:
        given, conditions = read_rule(actor, request.POST.dict())
        words = [condition_words(item) for item in entered("rule", given, conditions)["conditions"]]
    except Invalid as error:
        faults = error.fields or {"rule": [error.sentence]}
    except OmsError as error:
        faults = {"scope": [error.sentence]}
    context = {"faults": faults, "words": words, "verdict": request.POST.get("verdict", ""), "facts": len(words)}
    return render(request, "operations/parts/rule_check.html", context)


@require_POST
@page
def rule_ask(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask for a change of a rule, a mandate, a collar or the marks of conduct."""
    data = request.POST.dict()
    about, action = str(data.get("about", "rule")), str(data.get("action", "set"))
    conditions: tuple[TypedCondition, ...] = ()
    given: dict[str, Any] = data
    if action == "set" and about == "rule":
        given, conditions = read_rule(actor, data)
    elif about == "mandate":
        scope, scope_id = find_scope(actor, str(data.get("scope", "")), str(data.get("name", "")))
        given = data | {"scope": scope, "scope_id": scope_id}
    asked = request_rule_change(
        actor=actor,
        at=utc_now(),
        about=about,
        given=given,
        conditions=conditions,
        action=action,
        reason=str(data.get("why", ""))[:600],
        trial=_trial(actor, data, given, conditions) if about == "rule" and action == "set" else None,
    )
    return render(request, "operations/parts/rule_asked.html", {"asked": asked})


def _trial(
    actor: Principal, data: Mapping[str, str], given: Mapping[str, Any], conditions: tuple[TypedCondition, ...]
) -> dict[str, Any] | None:
    """What the trial of this very rule found, where there was one."""
    return summary_for(actor, data.get("trial", ""), "rule", entered("rule", given, conditions))


@require_POST
@page
def restrict(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask for an entry of the restricted or watch list."""
    data = request.POST.dict()
    actor.require(SEE_RESTRICTIONS, FOR_COMPLIANCE)
    scope, scope_id = find_scope(actor, str(data.get("scope", "firm")), str(data.get("name", "")))
    _, instrument_id = find_scope(actor, "instrument", str(data.get("instrument", "")))
    given = {
        **data,
        "subject": "instrument",
        "subject_id": instrument_id,
        "scope": scope,
        "scope_id": scope_id,
        "effective_from": read_moment(data, "effective_from") or utc_now(),
        "effective_until": read_moment(data, "effective_until"),
    }
    asked = request_restriction(actor=actor, at=utc_now(), given=given)
    return render(request, "operations/parts/rule_asked.html", {"asked": asked})


@require_POST
@page
def restriction_end(request: HttpRequest, actor: Principal, restriction_id: UUID) -> HttpResponse:
    """Ask for the end of an entry."""
    reason = request.POST.get("why", "")[:600]
    asked = request_restriction_end(actor=actor, at=utc_now(), restriction_id=restriction_id, reason=reason)
    return render(request, "operations/parts/rule_asked.html", {"asked": asked})


def read_rule(actor: Principal, data: Mapping[str, str]) -> tuple[dict[str, Any], tuple[TypedCondition, ...]]:
    """What was typed of a rule. Raises Invalid for a time that is none, NotFound for an unknown scope."""
    scope, scope_id = find_scope(actor, data.get("scope", ""), data.get("name", ""))
    given = dict(data) | {
        "scope": scope,
        "scope_id": scope_id,
        "effective_from": read_moment(data, "effective_from") or utc_now(),
        "effective_until": read_moment(data, "effective_until"),
    }
    numbers = sorted(int(name[5:]) for name in data if name.startswith("fact_") and name[5:].isdecimal())
    conditions = [
        TypedCondition(data[f"fact_{number}"], data.get(f"op_{number}", ""), data.get(f"values_{number}", ""))
        for number in numbers
        if data[f"fact_{number}"]
    ]
    return given, tuple(conditions)


def read_moment(data: Mapping[str, str], name: str) -> datetime | None:
    """A date and time as typed, in the person's zone; None when empty. Raises Invalid."""
    text = data.get(name, "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        sentence = "Give date and time as YYYY-MM-DD HH:MM."
        raise Invalid("FORM_INVALID", sentence, {name: [sentence]}) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.get_current_timezone())
