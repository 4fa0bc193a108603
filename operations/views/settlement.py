"""Settlement: the ladder by date, instructions, the cash that is to come, and where accounts settle."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.selectors import find_account_by_code
from accounts.selectors.forecast import forecast_cash
from allocations.domain.standing import StandingTerms
from allocations.permissions import WORK_POST_TRADE, require_work
from allocations.selectors.settlement import (
    STEPS,
    InstructionFilter,
    get_instruction,
    ladder,
    list_instructions,
    list_standing,
    seen_accounts,
)
from allocations.services.ask_standing_instruction import ask_standing_instruction
from allocations.services.receive_statuses import receive_statuses
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound, OmsError
from kernel.ids import new_id
from operations.views.edge import actor_may, page

NO_RIGHT = "Your role may not work on settlement: operations does."
MOST_BYTES = 64 * 1024 * 1024


@require_GET
@page
def settlement(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page; with ``part`` the ladder alone."""
    if request.GET.get("part"):
        context = {"rungs": ladder(actor, today=utc_now().date()), "steps": STEPS, "today": utc_now().date()}
        return render(request, "operations/parts/settlement_ladder.html", context)
    return _page(request, actor)


def _page(
    request: HttpRequest, actor: Principal, *, error: OmsError | None = None, typed: dict[str, str] | None = None
) -> HttpResponse:
    today = utc_now().date()
    wanted = _wanted(request)
    context: dict[str, Any] = {
        "rungs": ladder(actor, today=today),
        "steps": STEPS,
        "rows": list_instructions(actor, wanted),
        "wanted": wanted,
        "forecast": forecast_cash(list(seen_accounts(actor)), today=today),
        "standing": list_standing(actor, account=wanted.account),
        "why_not": "" if actor_may(actor, WORK_POST_TRADE) else NO_RIGHT,
        "typed": typed or {},
        "key": str(new_id()),
        "error": error,
        "fields": error.fields if isinstance(error, Invalid) else {},
        "today": today,
    }
    return render(request, "operations/settlement.html", context, status=error.http_status if error else 200)


def _wanted(request: HttpRequest) -> InstructionFilter:
    given = request.GET
    try:
        day = date.fromisoformat(given["day"]) if given.get("day") else None
    except ValueError:
        raise Invalid(
            "DAY_INVALID", "A day is written 2026-11-24.", {"day": ["A day is written 2026-11-24."]}
        ) from None
    state = given.get("state", "")
    if state and state not in (*STEPS, "canceled"):
        raise Invalid("STATE_INVALID", "There is no such state.", {"state": ["There is no such state."]})
    return InstructionFilter(day, state, given.get("account", "").strip()[:24], given.get("currency", "").strip()[:3])


@require_GET
@page
def instruction(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """One instruction with all that was said of it."""
    return render(request, "operations/settlement_one.html", {"one": get_instruction(actor, ref)})


@require_POST
@page
def take_in(request: HttpRequest, actor: Principal) -> HttpResponse:
    """A file of a custodian; what became of it is said above the page."""
    chosen = request.FILES.get("file")
    try:
        require_work(actor)
        if chosen is None or (chosen.size or 0) > MOST_BYTES:
            raise Invalid("UPLOAD_MISSING", "Choose a file of at most 64 MB.")
        receive_statuses(actor=actor, at=utc_now(), content=chosen.read(), source=request.POST.get("source", ""))
    except OmsError as error:
        return _page(request, actor, error=error)
    return redirect("/settlement")


@require_POST
@page
def ask_standing(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask for where an account settles; what is wrong is said beside its field and nothing typed is lost."""
    typed = {name: str(value).strip() for name, value in request.POST.items()}
    try:
        require_work(actor)
        account = find_account_by_code(actor, typed.get("account", ""))
        if account is None:
            raise NotFound("ACCOUNT_UNKNOWN", "There is no such account that you may see.")
        asked = ask_standing_instruction(
            actor=actor, at=utc_now(), idempotency_key=typed.get("key", ""), account_id=account.id,
            terms=read_terms(typed), reason=typed.get("reason", ""),
        )  # fmt: skip
    except OmsError as error:
        return _page(request, actor, error=error, typed=typed)
    return redirect(f"/approvals?view=all&id={asked}")


def read_terms(typed: dict[str, str]) -> StandingTerms:
    """As typed; raises Invalid SSI_INVALID for a day that is none."""
    days: dict[str, date | None] = {}
    for name in ("effective_from", "effective_to"):
        text = typed.get(name, "")
        try:
            days[name] = date.fromisoformat(text) if text else None
        except ValueError:
            raise Invalid(
                "SSI_INVALID", "A day is written 2026-11-24.", {name: ["A day is written 2026-11-24."]}
            ) from None
    begin = days["effective_from"]
    if begin is None:
        raise Invalid(
            "SSI_INVALID", "Say from which settlement date.", {"effective_from": ["Say from which settlement date."]}
        )
    texts = {name: typed.get(name, "") for name in ("place", "agent", "safekeeping_account", "cash_account")}
    return StandingTerms(
        mic=typed.get("mic", "").upper(),
        currency=typed.get("currency", "").upper(),
        effective_from=begin,
        effective_to=days["effective_to"],
        ended=typed.get("ended") == "yes",
        **texts,
    )
