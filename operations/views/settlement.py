"""Settlement: the ladder by date, instructions, what fails, the cash that is to come, and where and when accounts settle."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.selectors import find_account_by_code
from accounts.selectors.forecast import forecast_cash
from allocations.domain.leaving import LEAVES
from allocations.domain.standing import StandingTerms
from allocations.domain.transitions import WAITING
from allocations.permissions import WORK_POST_TRADE, require_work
from allocations.selectors.claims import list_claims, sum_open_claims
from allocations.selectors.leaving import list_sending_rules, waiting_of
from allocations.selectors.penalties import rates_in_force, sum_penalties
from allocations.selectors.settlement import STEPS, ladder, list_standing, seen_accounts
from allocations.selectors.settlement_forecast import Split, forecast_settlement
from allocations.selectors.settlement_list import (
    BUCKETS,
    InstructionFilter,
    all_instructions,
    fails_by_age,
    page_of_instructions,
)
from allocations.services.ask_standing_instruction import ask_standing_instruction
from allocations.services.receive_statuses import receive_statuses
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound, OmsError
from kernel.ids import new_id
from operations.exporting import MOST_ROWS
from operations.selectors.settlement_table import instructions_table
from operations.views.edge import actor_may, page
from operations.views.exports import handed_over, heading_for
from reconciliation.selectors.claim_entries import entries_for_claims
from refdata.domain.import_rows import ASSET_CLASSES

NO_RIGHT = "Your role may not work on settlement: operations does."
MOST_BYTES = 64 * 1024 * 1024
MOST_AGE = 1000


@require_GET
@page
def settlement(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page; with ``part`` the ladder alone."""
    if request.GET.get("part"):
        context = {"rungs": ladder(actor, today=utc_now().date()), "steps": STEPS, "today": utc_now().date()}
        return render(request, "operations/parts/settlement_ladder.html", context)
    return settlement_page(request, actor)


def settlement_page(
    request: HttpRequest, actor: Principal, *, error: OmsError | None = None, typed: dict[str, str] | None = None
) -> HttpResponse:
    """The page as the address asks; ``error`` above it, with what was typed kept."""
    at = utc_now()
    wanted, by = read_filter(request.GET), _split(request.GET)
    claims, claim_sums = list_claims(actor, today=at.date()), sum_open_claims(actor, today=at.date())
    listed = page_of_instructions(actor, wanted, at=at, after=request.GET.get("after", "")[:40])
    context: dict[str, Any] = {
        "rungs": ladder(actor, today=at.date()),
        "steps": STEPS,
        "listed": listed,
        "waiting": waiting_of([row.id for row in listed.rows if row.state == WAITING], at=at),
        "wanted": wanted,
        "kept": urlencode(wanted.told),
        "list_export": f"/settlement/export?{urlencode(wanted.told)}",
        "fails": fails_by_age(actor, at=at),
        "buckets": [words for words, _ in BUCKETS],
        "penalties": sum_penalties(actor, at=at),
        "rates": rates_in_force(),
        "asset_classes": sorted(ASSET_CLASSES),
        "claim_entries": entries_for_claims(actor, [one.row for one in claims if one.is_open]),
        "forecast": forecast_cash(list(seen_accounts(actor)), today=at.date()),
        "by": by,
        "splits": list(Split),
        "lines": forecast_settlement(actor, at=at, by=by),
        "claims": claims,
        "claim_sums": claim_sums,
        "claims_more": sum(one.count for one in claim_sums) - sum(one.is_open for one in claims),
        "standing": list_standing(actor, account=wanted.account),
        "rules": list_sending_rules(actor),
        "leaves": LEAVES,
        "why_not": "" if actor_may(actor, WORK_POST_TRADE) else NO_RIGHT,
        "typed": typed or {},
        "key": str(new_id()),
        "said": request.GET.get("said", "")[:300],
        "error": error,
        "fields": error.fields if isinstance(error, Invalid) else {},
        "today": at.date(),
    }
    return render(request, "operations/settlement.html", context, status=error.http_status if error else 200)


def _split(given: Mapping[str, str]) -> Split:
    try:
        return Split(given.get("by") or Split.NONE)
    except ValueError:
        raise _wrong("by", "SPLIT_INVALID", f"One of {', '.join(Split)}.") from None


def read_filter(given: Mapping[str, str]) -> InstructionFilter:
    """What an address asks for. Raises Invalid, by field."""
    try:
        day = date.fromisoformat(given["day"]) if given.get("day") else None
    except ValueError:
        raise _wrong("day", "DAY_INVALID", "A day is written 2026-11-24.") from None
    state, age = given.get("state", ""), given.get("age", "").strip()
    if state and state not in (*STEPS, "canceled"):
        raise _wrong("state", "STATE_INVALID", "There is no such state.")
    if age and not (age.isascii() and age.isdecimal() and int(age) <= MOST_AGE):
        raise _wrong("age", "AGE_INVALID", f"Settlement days late, from 1 to {MOST_AGE}.")
    texts = {
        name: given.get(name, "").strip()[:most]
        for name, most in (("account", 24), ("currency", 3), ("mic", 4), ("custodian", 11))
    }
    return InstructionFilter(day, state, age=int(age) if age else None, held=given.get("held") == "yes", **texts)


def _wrong(field: str, code: str, sentence: str) -> Invalid:
    return Invalid(code, sentence, {field: [sentence]})


@require_GET
@page
def settlement_export(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The whole list by the page's own filter; who took it is kept."""
    at: datetime = utc_now()
    wanted = read_filter(request.GET)
    rows = all_instructions(actor, wanted, at=at, most=MOST_ROWS)
    heading = heading_for(actor, "Settlement instructions", wanted.told, at)
    return handed_over(request, actor, instructions_table(heading=heading, rows=rows))


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
        return settlement_page(request, actor, error=error)
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
        return settlement_page(request, actor, error=error, typed=typed)
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
