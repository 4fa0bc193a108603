"""``/confirmations``: clocks of the markets, what is open and what differs, and what a person may do about each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from allocations.domain import transitions as moves
from allocations.domain.affirming_in_time import DAYS, add_up, countdown, phase, will_miss
from allocations.domain.confirm_rules import CHOICES
from allocations.domain.matching import WORDS
from allocations.domain.terms import default_terms, late_party
from allocations.models import Confirmation
from allocations.permissions import WORK_POST_TRADE, require_work
from allocations.selectors.affirming import affirmed_in_time, by_counterparty, by_day, list_clocks
from allocations.selectors.confirm_rules import list_terms, list_tolerances
from allocations.selectors.confirmations import (
    VIEWS,
    ConfirmationFilter,
    count_confirmations,
    get_confirmation,
    get_detail,
    list_confirmations,
    sight_of,
    unpaired_records,
    visible_confirmations,
)
from allocations.selectors.confirming import Standing
from allocations.services._acting import MOST, Acted
from allocations.services.accept_mismatch import accept_mismatch, why_not_accepted
from allocations.services.affirm_confirmation import affirm_confirmation, why_not_affirmed
from allocations.services.ask_confirm_rule import ask_confirm_rule
from allocations.services.pair_by_hand import pair_by_hand
from allocations.services.receive_records import receive_records
from allocations.services.reject_confirmation import reject_confirmation
from allocations.services.resend_confirmation import resend_confirmation
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound
from kernel.ids import new_id
from operations.views.edge import actor_may, is_part, page

ROUTE = "confirmations"
UNPAIRED_SHOWN = 50
SHARES_SHOWN = 100
FAMILIES = {
    moves.WAITING: ("neutral", "neutral"),
    moves.SENT: ("waiting", "sent"),
    moves.MATCHED: ("working", "partial"),
    moves.MISMATCHED: ("unknown", "unknown"),
    moves.AFFIRMED: ("done", "filled"),
    moves.REJECTED: ("refused", "refused"),
    moves.CANCELED: ("ended", "ended"),
}
"""Family and glyph of a state, as every other status of the house is shown."""
FIGURES = frozenset(WORDS[name] for name in ("qty", "avg_px", "gross", "commission", "fees", "net"))
"""Fields whose value is a number."""
NO_RIGHT = "Your role may not work on confirmations."


@require_GET
@page
def confirmations(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page; with ``part`` the clocks alone, which it asks for again and again."""
    at = utc_now()
    if request.GET.get("part"):
        return render(request, "operations/parts/confirmation_clocks.html", {"clocks": _clocks(actor), "at": at})
    wanted = read_filter(request)
    shares = affirmed_in_time(first=at.date() - DAYS, last=at.date(), at=at, sight=sight_of(actor))
    context = {
        "clocks": _clocks(actor),
        "wanted": wanted,
        "views": VIEWS,
        "counts": count_confirmations(actor, at=at),
        "rows": [_row(one) for one in list_confirmations(actor, wanted, at=at)],
        "unpaired": unpaired_records(actor)[:UNPAIRED_SHOWN],
        "shares": shares[:SHARES_SHOWN],
        "more_shares": max(len(shares) - SHARES_SHOWN, 0),
        "parties": by_counterparty(shares),
        "days": by_day(shares),
        "days_back": DAYS.days,
        "whole": add_up(row.share for row in shares),
        "tolerances": list_tolerances(),
        "terms": list_terms(),
        "default_terms": default_terms(""),
        "choices": CHOICES,
        "why_not": "" if actor_may(actor, WORK_POST_TRADE) else NO_RIGHT,
        "keys": {name: str(new_id()) for name in ("affirm", "pair", "tolerance", "terms")},
        "said": request.GET.get("said", "")[:300],
        "at": at,
    }
    return render(request, "operations/confirmations.html", context)


def read_filter(request: HttpRequest) -> ConfirmationFilter:
    """What the address asks for. Raises Invalid PARAMETERS_INVALID."""
    query = request.GET
    view, day = query.get("view", "") or VIEWS[0], query.get("day", "")
    try:
        asked = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise Invalid("PARAMETERS_INVALID", "That is no day.", {"day": ["That is no day."]}) from error
    if view not in VIEWS:
        raise Invalid("PARAMETERS_INVALID", "There is no such view.", {"view": [f"One of {', '.join(VIEWS)}."]})
    texts = {name: query.get(name, "").strip()[:24] for name in ("counterparty", "mic", "account", "block")}
    return ConfirmationFilter(view=view, day=asked, **texts)


def _clocks(actor: Principal) -> list[dict[str, Any]]:
    """Clocks with something open, and those of today that are done; late first."""
    at = utc_now()
    shown = [one for one in list_clocks(at=at, sight=sight_of(actor)) if one.open or one.affirm_by > at]
    return [
        {
            "clock": one, "trade_date": date.fromisoformat(one.trade_date), "phase": phase(one, at), "left": countdown(one.affirm_by, at),
            "misses": will_miss(one, at),
        }
        for one in shown
    ]  # fmt: skip


def _row(one: Standing) -> dict[str, Any]:
    family, mark = FAMILIES[one.row.state]
    refused = why_not_affirmed(role=one.row.role, state=one.row.state, channel=one.row.channel, ref=one.row.ref)
    return {
        "row": one.row, "line": one.line, "family": family, "mark": mark, "why_not": refused.sentence if refused else "",
        "missing": late_party(one.row.role, one.row.state),
    }  # fmt: skip


@require_GET
@page
def confirmation(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """One whole."""
    return render(request, "operations/confirmation.html", _detail(actor, get_confirmation(actor, ref)))


def _detail(actor: Principal, standing: Standing, said: str = "") -> dict[str, Any]:
    row = standing.row
    asked = {"role": row.role, "state": row.state, "ref": row.ref}
    refused = {
        "affirm": _sentence(why_not_affirmed(channel=row.channel, **asked)),
        "accept": _sentence(why_not_accepted(**asked)),
        "reject": _why_not_rejected(row),
        "resend": "" if row.state == moves.REJECTED else f"{row.ref} is {row.state}, not rejected.",
    }
    if not actor_may(actor, WORK_POST_TRADE):
        refused = dict.fromkeys(refused, NO_RIGHT)
    return {
        "figures": FIGURES, "detail": get_detail(standing),
        **_row(standing), "refused": refused, "key": str(new_id()), "said": said, "at": utc_now(),
        "titles": TITLES, "first": next((name for name in ("affirm", "accept", "resend") if not refused[name]), ""),
    }  # fmt: skip


TITLES = {
    "affirm": "Affirm",
    "accept": "Accept the difference: ask a second person",
    "reject": "Reject theirs",
    "resend": "Send again as the next version",
}


def _sentence(refused: Any) -> str:
    return refused.sentence if refused is not None else ""


def _why_not_rejected(row: Confirmation) -> str:
    if row.state not in moves.sources_of(moves.CONFIRMATION, "reject"):
        return f"{row.ref} is {row.state}: there is nothing to reject."
    return "" if row.state in (moves.MATCHED, moves.MISMATCHED) else f"{row.counterparty} has said nothing of it yet."


@require_POST
@page
def act(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """One act on one confirmation; the page is drawn anew with what came of it."""
    require_work(actor)
    standing, name = get_confirmation(actor, ref), request.POST.get("act", "")
    if name not in ACTS:
        raise Invalid("ACT_INVALID", "There is no such act.", {"act": [f"One of {', '.join(ACTS)}."]})
    done = ACTS[name](
        standing.row.id,
        actor=actor,
        at=utc_now(),
        idempotency_key=request.POST.get("key", "")[:64],
        route=f"{ROUTE}.{name}",
        reason=request.POST.get("reason", ""),
    )
    if not is_part(request):
        return redirect("confirmation", ref=standing.row.ref)
    context = _detail(actor, get_confirmation(actor, ref), done.sentence)
    return render(request, "operations/parts/confirmation_detail.html", context)


def _affirm(pk: UUID, **said: Any) -> Acted:
    return affirm_confirmation(confirmation_ids=[pk], **said)


def _accept(pk: UUID, **said: Any) -> Acted:
    return accept_mismatch(confirmation_id=pk, **said)


def _reject(pk: UUID, **said: Any) -> Acted:
    return reject_confirmation(confirmation_id=pk, **said)


def _resend(pk: UUID, **said: Any) -> Acted:
    return resend_confirmation(confirmation_ids=[pk], **said)


ACTS: dict[str, Callable[..., Acted]] = {"affirm": _affirm, "accept": _accept, "reject": _reject, "resend": _resend}


@require_POST
@page
def affirm_many(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Affirm all that were ticked, or none."""
    require_work(actor)
    refs = sorted({ref.strip().upper() for ref in request.POST.getlist("ref")})[: MOST + 1]
    ids = list(visible_confirmations(actor).filter(ref__in=refs).values_list("id", flat=True))
    if len(ids) < len(refs):
        raise NotFound("CONFIRMATION_UNKNOWN", "There is no such confirmation that you may see.")
    done = affirm_confirmation(
        actor=actor,
        at=utc_now(),
        idempotency_key=request.POST.get("key", "")[:64],
        route=f"{ROUTE}.many",
        confirmation_ids=ids,
        reason=request.POST.get("reason", ""),
    )
    return _said(done.sentence)


def _said(sentence: str) -> HttpResponse:
    """Back to the list, which tells it."""
    return redirect(f"{reverse('confirmations')}?{urlencode({'said': sentence[:300]})}")


@require_POST
@page
def pair(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Say which confirmation an unpaired record is about."""
    require_work(actor)
    standing = get_confirmation(actor, request.POST.get("ref", ""))
    try:
        record_id = UUID(request.POST.get("record", ""))
    except ValueError as error:
        raise Invalid("RECORD_INVALID", "Name the record.", {"record": ["Name the record."]}) from error
    done = pair_by_hand(
        actor=actor,
        at=utc_now(),
        idempotency_key=request.POST.get("key", "")[:64],
        route=f"{ROUTE}.pair",
        record_id=record_id,
        confirmation_id=standing.row.id,
        reason=request.POST.get("reason", ""),
    )
    return _said(done.sentence)


@require_POST
@page
def upload(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Take a counterparty's file in."""
    require_work(actor)
    file = request.FILES.get("file")
    if file is None:
        raise Invalid("FILE_MISSING", "Choose a file.", {"file": ["Choose a file."]})
    try:
        done = receive_records(
            actor=actor,
            at=utc_now(),
            counterparty=request.POST.get("counterparty", ""),
            name=str(file.name or ""),
            content=file.read(MOST_READ),
        )
    except Invalid as refused:  # told above the list, where the next file is chosen
        return _said(f"{file.name} was not taken in: {refused.sentence}")
    faults = " ".join(f"Line {fault.line}: {fault.sentence}" for fault in done.faults[:3])
    return _said(f"{done.sentence} {faults}")


MOST_READ = 8 * 1024 * 1024 + 1


@require_POST
@page
def ask_rule(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask a second person for another tolerance or other terms."""
    require_work(actor)
    done = ask_confirm_rule(
        actor=actor,
        at=utc_now(),
        idempotency_key=request.POST.get("key", "")[:64],
        route=f"{ROUTE}.rule",
        rule=request.POST.get("rule", ""),
        said=request.POST.dict(),
        reason=request.POST.get("reason", ""),
    )
    return _said(done.sentence)
