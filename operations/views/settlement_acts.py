"""One instruction with all that was said of it, and what a person may do about it: hold back, release, send again; and with files and
rules of sending; and the steps of its buy-in, which two people take."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from allocations.domain.confirm_rules import PENALTY
from allocations.permissions import WORK_POST_TRADE, require_work
from allocations.selectors.buy_in import failing_of
from allocations.selectors.leaving import waiting_of
from allocations.selectors.penalties import penalty_of, rates_in_force
from allocations.selectors.settlement import get_instruction
from allocations.selectors.standing import standing_named
from allocations.services._acting import Acted
from allocations.services.ask_buy_in import ask_buy_in
from allocations.services.ask_confirm_rule import ask_confirm_rule
from allocations.services.ask_sending_rule import ask_sending_rule
from allocations.services.hold_instruction import hold_instruction, why_not_held
from allocations.services.refuse_file import refuse_file
from allocations.services.release_instruction import release_instruction, why_not_released
from allocations.services.send_again import send_again, why_not_again
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, OmsError
from kernel.ids import new_id
from operations.views.edge import actor_may, page
from operations.views.settlement import NO_RIGHT, settlement_page

ROUTE = "settlement"
ACTS: dict[str, Callable[..., Acted]] = {"hold": hold_instruction, "release": release_instruction, "again": send_again}
WHY_NOT: dict[str, Callable[..., OmsError | None]] = {
    "hold": why_not_held,
    "release": why_not_released,
    "again": why_not_again,
}
TITLES = {"hold": "Hold back", "release": "Release", "again": "Send again under a new reference"}


@require_GET
@page
def instruction(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """One instruction."""
    return _one(request, actor, ref, said=request.GET.get("said", "")[:300])


def _one(
    request: HttpRequest, actor: Principal, ref: str, *, said: str = "", error: OmsError | None = None, typed: str = ""
) -> HttpResponse:
    one = get_instruction(actor, ref)
    refused = {name: (problem.sentence if (problem := why(one.row)) else "") for name, why in WHY_NOT.items()}
    why_not = "" if actor_may(actor, WORK_POST_TRADE) else NO_RIGHT
    if why_not:
        refused = dict.fromkeys(refused, why_not)
    context: dict[str, Any] = {
        "one": one,
        "penalty": penalty_of(one.row, at=utc_now(), rates=rates_in_force()),
        "waits": waiting_of([one.row.id], at=utc_now()).get(one.row.id),
        "place_now": standing_named(one.row),
        "titles": TITLES,
        "buy_ins": list(one.row.buy_ins.order_by("initiated_at", "id")),
        "failing": failing_of(one.row),
        "refused": refused,
        "first": next((name for name in ("again", "release") if not refused[name]), ""),
        "why_not": why_not,
        "key": str(new_id()),
        "said": said,
        "error": error,
        "typed": typed,
    }
    return render(request, "operations/settlement_one.html", context, status=error.http_status if error else 200)


@require_POST
@page
def act(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """One act on one instruction; what came of it is said on its page, what speaks against it in place."""
    require_work(actor)
    name, why = request.POST.get("act", ""), request.POST.get("reason", "")
    get_instruction(actor, ref)
    try:
        if name not in ACTS:
            raise Invalid("ACT_INVALID", "There is no such act.", {"act": [f"One of {', '.join(ACTS)}."]})
        done = ACTS[name](
            actor=actor, at=utc_now(), idempotency_key=request.POST.get("key", "")[:64], route=f"{ROUTE}.{name}", ref=ref,
            reason=why,
        )  # fmt: skip
    except (Invalid, OmsError) as error:
        return _one(request, actor, ref, error=error, typed=why)
    return redirect(f"/settlement/{ref}?{urlencode({'said': done.sentence})}")


@require_POST
@page
def buy_in(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """Ask a second person for the next step of its buy-in."""
    require_work(actor)
    get_instruction(actor, ref)
    typed = {name: str(value).strip() for name, value in request.POST.items()}
    try:
        done = ask_buy_in(
            actor=actor, at=utc_now(), idempotency_key=typed.get("key", "")[:64], route=f"{ROUTE}.buy-in", ref=ref,
            said={name: typed.get(name, "") for name in ("step", "qty", "amount", "agent", "reference", "bearer")},
            reason=typed.get("reason", ""),
        )  # fmt: skip
    except OmsError as error:
        return _one(request, actor, ref, error=error, typed=typed.get("reason", ""))
    return redirect(f"/approvals?view=all&id={done.authorisation_id}")


@require_POST
@page
def file_refused(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The custodian did not take a file: all of it is sent again."""
    try:
        done = refuse_file(
            actor=actor, at=utc_now(), idempotency_key=request.POST.get("key", "")[:64], route=f"{ROUTE}.file",
            place=request.POST.get("place", "")[:120], reason=request.POST.get("reason", ""),
        )  # fmt: skip
    except OmsError as error:
        return settlement_page(request, actor, error=error)
    return redirect(f"/settlement?{urlencode({'said': done.sentence})}")


@require_POST
@page
def ask_rule(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask a second person for another rule of when instructions leave, or of what a day of a fail costs."""
    typed = {name: str(value).strip() for name, value in request.POST.items()}
    said = typed | {name: typed.get(name, "").upper() for name in ("account", "mic")}
    ask = partial(ask_confirm_rule, rule=PENALTY) if typed.get("rule") == PENALTY else ask_sending_rule
    try:
        asked = ask(
            actor=actor, at=utc_now(), idempotency_key=typed.get("key", "")[:64], route=f"{ROUTE}.rule", said=said,
            reason=typed.get("reason", ""),
        )  # fmt: skip
    except OmsError as error:
        return settlement_page(request, actor, error=error, typed=typed)
    return redirect(f"/approvals?view=all&id={asked.authorisation_id}")
