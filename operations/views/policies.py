"""Who decides what: the policies that stand, and the form that asks a second person for another."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.policy import CLAIM_S, MOST_CHECKERS, POLICIES
from authorisation.domain.policy_change import CHECKER_RIGHTS, PolicyChange
from authorisation.domain.principal import ADMINISTER_USERS, Principal
from authorisation.models import Desk
from authorisation.services.request_policy_change import PolicyAsked, request_policy_change
from kernel.clock import utc_now
from kernel.errors import Invalid
from kernel.numbers import parse_decimal
from operations.selectors.policies import list_policy_lines
from operations.views.edge import actor_may, is_part, page

NO_RIGHT = "Only who administers people may ask for another policy."


@require_GET
@page
def policies(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Every policy that stands, and the form."""
    return render(request, "operations/policies.html", _context(actor))


@require_POST
@page
def ask(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask a second person for another policy."""
    change = read_change(request.POST.dict())
    asked = request_policy_change(actor=actor, at=utc_now(), change=change, reason=request.POST.get("reason", ""))
    if is_part(request):
        return render(request, "operations/parts/policy_form.html", _context(actor) | {"asked": asked})
    return redirect("policies")


def read_change(data: Mapping[str, Any]) -> PolicyChange:
    """The policy as typed; raises Invalid POLICY_INVALID with a sentence a field. Bounds are the service's."""
    faults: dict[str, list[str]] = {}
    numbers = {name: _whole(data, name, faults) for name in ("checkers", "minutes", "claim_s")}
    above, mark = None, str(data.get("above", "")).strip()
    if mark:
        try:
            above = parse_decimal(mark)
        except ValueError:
            faults["above"] = ["A value, as in 1,000,000 or 1m."]
    desk_id = None
    if code := str(data.get("desk", "")).strip():
        desk_id = Desk.objects.filter(code=code).values_list("pk", flat=True).first()
        if desk_id is None:
            faults["desk"] = ["There is no such desk."]
    if faults:
        raise Invalid("POLICY_INVALID", next(iter(faults.values()))[0], faults)
    return PolicyChange(
        kind=str(data.get("kind", "")),
        desk_id=desk_id,
        above=Decimal(above) if above is not None else None,
        currency=str(data.get("currency", "")).strip().upper(),
        checkers=numbers["checkers"],
        right=str(data.get("right", "")),
        patience_s=numbers["minutes"] * 60,
        claim_s=numbers["claim_s"],
        stops_clock=data.get("stops_clock") == "on",
        ended=data.get("ended") == "on",
    )


def _whole(data: Mapping[str, Any], name: str, faults: dict[str, list[str]]) -> int:
    text = str(data.get(name, "")).strip()
    if text.isascii() and text.isdecimal() and len(text) <= 7:
        return int(text)
    faults[name] = ["A whole number."]
    return 0


def _context(actor: Principal, asked: PolicyAsked | None = None) -> dict[str, Any]:
    return {
        "lines": list_policy_lines(at=utc_now()),
        "kinds": [(policy.kind, policy.title) for policy in POLICIES.values()],
        "rights": CHECKER_RIGHTS.items(),
        "desks": Desk.objects.order_by("code").values_list("code", flat=True),
        "most": MOST_CHECKERS,
        "claim_s": CLAIM_S,
        "why_not": "" if actor_may(actor, ADMINISTER_USERS) else NO_RIGHT,
        "asked": asked,
    }
