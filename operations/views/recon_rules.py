"""``/recon/rules``: the rules of reconciliation as they stand or stood, and a form each to ask a second person for another.

Nothing is changed here. What a change would let agree or stop is said before it is asked, by a dry run of now.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.ids import new_id
from operations.selectors.break_effects import trial_lines
from operations.selectors.recon.rules_page import get_rules_page, preview_change
from operations.views.edge import actor_may, is_part, page
from operations.views.positions import read_moment
from reconciliation.domain.feed_changes import CHOICES, TERMS
from reconciliation.domain.records import RECONCILED
from reconciliation.domain.rule_changes import CATEGORIES, FIELDS, read_change
from reconciliation.domain.rules import DEFAULTS
from reconciliation.models import Break, BreakPolicy, OutsideName
from reconciliation.permissions import WORK_BREAK, require_work
from reconciliation.selectors.rule_changes import known_places
from reconciliation.services.ask_rule_change import ask_rule_change

ROUTE = "recon_rules"
NO_RIGHT = "Your role may not ask for changes of rules of reconciliation."
NOT_THEN = "What stood then cannot be changed: go back to now."


@require_GET
@page
def rules(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page; ``at`` shows the rules of then, ``edit`` fills the form of one."""
    at = read_moment(request.GET.get("at", ""))
    book = get_rules_page(actor, at=at)
    edited, typed = book.typed(request.GET.get("edit", "")[:200])
    context = {
        "book": book,
        "stopping": [line for line in book.policies if line.typed["effect"] != "nothing"],
        "idle": [line for line in book.policies if line.typed["effect"] == "nothing"],
        "edited": edited,
        "typed": typed,
        "terms": [
            (name, says, CHOICES.get(name, ()), typed.get(name, "") if edited == "feed" else "")
            for name, says in TERMS.items()
        ],
        "as_at": at,
        "at_text": request.GET.get("at", "").strip(),
        "why_not": _why_not(actor, is_then=at is not None),
        **_choices(),
    }
    return render(request, "operations/recon_rules.html", context)


def _why_not(actor: Principal, *, is_then: bool) -> str:
    """Why the forms are disabled; empty when a change may be asked for."""
    if not actor_may(actor, WORK_BREAK):
        return NO_RIGHT
    return NOT_THEN if is_then else ""


def _choices() -> dict[str, Any]:
    """What the forms offer, and a key for what is sent from each."""
    return {
        "kinds": [kind.value for kind in RECONCILED],
        "fields": FIELDS,
        "categories": [(name, Break.Category(name).label) for name in CATEGORIES],
        "effects": BreakPolicy.Effect.choices,
        "things": OutsideName.What.choices,
        "defaults": DEFAULTS,
        "keys": {rule: str(new_id()) for rule in ("tolerance", "policy", "name", "feed")},
    }


@require_POST
@page
def check(request: HttpRequest, actor: Principal) -> HttpResponse:
    """What the change as typed would do to the open breaks, or what is wrong with it. Nothing is kept."""
    require_work(actor)
    context: dict[str, Any] = {}
    try:
        rule = request.POST.get("rule", "")
        known = known_places() if rule == "feed" else None
        context["preview"] = preview_change(read_change(rule, request.POST.dict(), known=known), at=utc_now())
        context["trial"] = trial_lines(context["preview"].effect)
    except Invalid as error:
        context["error"] = error
    return render(request, "operations/parts/recon_rule_effect.html", context)


@require_POST
@page
def ask(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Put the change before a second person; the form gets a new key for the next."""
    rule = request.POST.get("rule", "")
    asked = ask_rule_change(
        actor=actor,
        at=utc_now(),
        idempotency_key=request.POST.get("key", "")[:64],
        route=ROUTE,
        rule=rule,
        said=request.POST.dict(),
        reason=request.POST.get("reason", ""),
    )
    if is_part(request):
        context = {"asked": asked, "rule": rule, "key": str(new_id())}
        return render(request, "operations/parts/recon_rule_asked.html", context)
    return redirect("recon-rules")
