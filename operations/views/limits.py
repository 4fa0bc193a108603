"""Limits: what is used of each, the orders that use it, and the form that asks a second person for another mark."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.canonical import jsonable
from kernel.clock import utc_now
from kernel.errors import Invalid, OmsError
from kernel.numbers import parse_decimal
from operations.selectors.limits import (
    MOST_ORDERS,
    as_tree,
    effect_of_change,
    get_limit_line,
    list_limit_lines,
    list_using_orders,
    shown_day,
)
from operations.selectors.scopes import SCOPE_WORDS, find_scope
from operations.services.start_trial import summary_for
from operations.views.edge import actor_may, is_part, page
from risk.domain.limit_change import IN_CURRENCY, KEEP, KIND_WORDS, LimitChange
from risk.domain.usage import COUNTING_CURRENCY, VALUE_KINDS
from risk.permissions import ASK_RISK_CHANGE, require_scope
from risk.services.request_limit_change import request_limit_change

CLOSEST, TREE = "closest", "tree"
VIEWS = {CLOSEST: "Closest first", TREE: "By scope"}
NO_RIGHT = "Your role may not ask for changes of limits."


@require_GET
@page
def limits(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page; with ``part`` the list alone, with ``id`` one limit beside it, with ``view=tree`` by scope."""
    at, chosen, view = utc_now(), request.GET.get("id", ""), request.GET.get("view", CLOSEST)
    lines = list_limit_lines(actor, at=at)
    lines = as_tree(lines) if view == TREE else lines
    context = _about(actor) | {"lines": lines, "chosen": chosen, "day": shown_day(at), "view": view, "views": VIEWS}
    if request.GET.get("part"):
        return render(request, "operations/parts/limit_list.html", context)
    if chosen.isdecimal():
        context |= _detail(actor, int(chosen), at)
    return render(request, "operations/limits.html", context)


@require_GET
@page
def limit(request: HttpRequest, actor: Principal, limit_id: int) -> HttpResponse:
    """One limit: figures, the open orders that use it, and the form."""
    context = _about(actor) | _detail(actor, limit_id, utc_now())
    return render(request, "operations/parts/limit_detail.html", context)


@require_GET
@page
def new_limit(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The form for a limit that is not there yet."""
    return render(request, "operations/parts/limit_detail.html", _about(actor))


@require_POST
@page
def preview(request: HttpRequest, actor: Principal) -> HttpResponse:
    """What the change would do now, or what is wrong with it."""
    at = utc_now()
    try:
        change = read_change(actor, request.POST)
        name = require_scope(actor, change.scope, change.scope_id)
        faults = change.faults(at)
        if faults:
            raise Invalid("LIMIT_CHANGE_INVALID", " ".join(text for texts in faults.values() for text in texts), faults)
        context: dict[str, Any] = {"effect": effect_of_change(change, name, at=at)}
    except OmsError as error:
        context = {"error": error}
    return render(request, "operations/parts/limit_effect.html", context)


@require_POST
@page
def ask(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Put the change before a second person."""
    reason = request.POST.get("reason", "")
    change = read_change(actor, request.POST)
    trial = summary_for(actor, request.POST.get("trial", ""), "limit", draft_limit(change))
    asked = request_limit_change(actor=actor, at=utc_now(), change=change, reason=reason, trial=trial)
    if is_part(request):
        return render(request, "operations/parts/limit_asked.html", {"asked": asked})
    return redirect("limits")


def draft_limit(change: LimitChange) -> dict[str, Any]:
    """The limit as a trial takes it."""
    fields = ("kind", "scope", "scope_id", "currency", "warn", "hard")
    return {name: jsonable(getattr(change, name)) for name in fields}


def read_change(actor: Principal, data: Mapping[str, str]) -> LimitChange:
    """The change as typed; raises Invalid naming the field that is no number, no time or no scope."""
    scope, scope_id = data.get("scope", ""), data.get("scope_id", "")
    if not scope_id:
        scope, scope_id = find_scope(actor, scope, data.get("name", ""))
    kind = data.get("kind", "")
    currency = data.get("currency", "").strip().upper()
    if kind in VALUE_KINDS:
        currency = currency or COUNTING_CURRENCY
    elif kind not in IN_CURRENCY:
        currency = ""
    return LimitChange(
        scope=scope,
        scope_id=scope_id,
        kind=kind,
        currency=currency,
        warn=_number(data, "warn"),
        hard=_number(data, "hard"),
        owner=data.get("owner", ""),
        effective_from=_time(data, "effective_from"),
        effective_until=_time(data, "effective_until"),
        on_breach=data.get("on_breach", KEEP),
    )


def _number(data: Mapping[str, str], name: str) -> Decimal | None:
    text = data.get(name, "").strip()
    value = parse_decimal(text) if text else None
    if text and value is None:
        sentence = f"“{text}” is not a number. Write 12000, 12,000, 12k or 1.2m."
        raise Invalid("LIMIT_CHANGE_INVALID", sentence, {name: [sentence]})
    return value


def _time(data: Mapping[str, str], name: str) -> datetime | None:
    text = data.get(name, "").strip()
    if not text:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        sentence = f"“{text}” is not a time."
        raise Invalid("LIMIT_CHANGE_INVALID", sentence, {name: [sentence]}) from None
    return value if value.tzinfo else timezone.make_aware(value)


def _about(actor: Principal) -> dict[str, Any]:
    return {
        "counting": COUNTING_CURRENCY,
        "why_not": "" if actor_may(actor, ASK_RISK_CHANGE) else NO_RIGHT,
        "scopes": SCOPE_WORDS,
        "kinds": KIND_WORDS,
        "username": actor.username,
        "most": MOST_ORDERS,
    }


def _detail(actor: Principal, limit_id: int, at: datetime) -> dict[str, Any]:
    line = get_limit_line(actor, limit_id, at=at)
    using = list_using_orders(actor, scope=line.scope, scope_id=line.scope_id)
    return {"line": line, "using": using, "chosen": str(limit_id)}
