"""Corporate actions: the list, one of them with its dry run and its results, and what operations people do about them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid
from operations.selectors.actions import VIEWS, get_action_page, is_correctable, list_actions, may_apply, may_undo
from operations.views.edge import actor_may, page
from orders.selectors.actions import get_action, today_of
from orders.services.ask_corporate_action import ask_corporate_action
from refdata.as_at import terms_of
from refdata.domain.action_terms import COLUMNS, KIND_WORDS, Fractions, read_terms, terms_to_json
from refdata.domain.import_rows import LoadResult, read_rows
from refdata.permissions import ASK_STATIC_DATA
from refdata.services.announce_action import announce_action
from refdata.services.cancel_action import cancel_action
from refdata.services.confirm_payment import confirm_payment
from refdata.services.correct_action import correct_action
from refdata.services.load_actions import ACTION_COLUMNS, ALL_COLUMNS, load_actions

WHY_NOT = "Your role may not enter corporate actions."
MOST_BYTES = 2_000_000
# Name, label, an example, type of input; first those of every kind, then those that only one kind has a use for.
DATES = (
    ("ex_date", "Ex date", "", "date"),
    ("record_date", "Record date", "", "date"),
    ("pay_date", "Pay date", "", "date"),
)
SPLIT = (
    ("ratio_new", "New shares", "e.g. 2", "text"),
    ("ratio_old", "for old shares", "e.g. 1", "text"),
    ("fraction_px", "Price of one whole new share", "e.g. 36.25", "text"),
)
MONEY = (("amount", "Amount a share", "e.g. 0.125", "text"), ("currency", "Currency", "e.g. GBP", "text"))
NAMES = (
    ("new_symbol", "New symbol", "e.g. VODX.L", "text"),
    ("new_venue_symbol", "New venue symbol", "e.g. VODX", "text"),
    ("new_isin", "New ISIN", "", "text"),
)
FRACTION_WORDS = {
    Fractions.CASH: "paid in cash at the price below",
    Fractions.UP: "rounded up to a whole share",
    Fractions.DOWN: "cut off",
}


@require_GET
@page
def actions(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The list, the form of a new notice and the door for files. With ``part`` the list alone."""
    if request.GET.get("part"):
        return render(request, "operations/parts/action_list.html", _list(request))
    return _list_page(request, actor)


@require_POST
@page
def new_action(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Announce one; what is wrong is said beside its field and nothing typed is lost."""
    actor.require(ASK_STATIC_DATA, WHY_NOT)
    data = _typed(request)
    terms, faults = read_terms(data)
    if terms is None:
        return _list_page(request, actor, typed=data, faults=faults, status=400)
    try:
        action_id = announce_action(
            actor=actor,
            at=utc_now(),
            symbol=data["symbol"],
            terms=terms,
            source=data["source"],
            reference=data["reference"],
        )
    except Invalid as error:
        faults = {name: sentences[0] for name, sentences in error.fields.items()}
        return _list_page(request, actor, typed=data, faults=faults, status=error.http_status)
    except Conflict as error:
        faults = {"reference": error.sentence}
        return _list_page(request, actor, typed=data, faults=faults, status=error.http_status)
    return redirect("action", action_id=action_id)


@require_POST
@page
def load_file(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Take a CSV file; good rows are kept, bad ones come back with row and column."""
    actor.require(ASK_STATIC_DATA, WHY_NOT)
    chosen = request.FILES.get("file")
    if chosen is None or (chosen.size or 0) > MOST_BYTES:
        raise Invalid("UPLOAD_MISSING", "Choose a .csv file of at most 2 MB.")
    try:
        text = chosen.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("UPLOAD_MISSING", "The file is not UTF-8 text.") from None
    rows, issues = read_rows(text, ACTION_COLUMNS)
    loaded = LoadResult(0, 0, 0, issues) if issues else load_actions(actor=actor, at=utc_now(), rows=rows)
    return _list_page(request, actor, loaded=loaded)


@require_GET
@page
def action(request: HttpRequest, actor: Principal, action_id: UUID) -> HttpResponse:
    """One action: terms, what it does to whom, what has been done, and what may be done next. With ``part`` its figures."""
    return _action_page(request, actor, action_id)


@require_POST
@page
def correct(request: HttpRequest, actor: Principal, action_id: UUID) -> HttpResponse:
    """The next version of the notice."""
    actor.require(ASK_STATIC_DATA, WHY_NOT)
    data = _typed(request)
    data["kind"] = terms_of(get_action(action_id)).kind.value
    terms, faults = read_terms(data)
    if terms is None:
        return _action_page(request, actor, action_id, typed=data, faults=faults, status=400)
    try:
        correct_action(actor=actor, at=utc_now(), action_id=action_id, terms=terms, reason=data["reason"])
    except Invalid as error:
        faults = {name: sentences[0] for name, sentences in error.fields.items()}
        return _action_page(request, actor, action_id, typed=data, faults=faults, status=error.http_status)
    return redirect("action", action_id=action_id)


@require_POST
@page
def ask(request: HttpRequest, actor: Principal, action_id: UUID) -> HttpResponse:
    """Ask a second person to apply it on its ex date, or to take it back."""
    ask_corporate_action(
        actor=actor,
        at=utc_now(),
        action_id=action_id,
        decision=str(request.POST.get("decision", "")),
        reason=str(request.POST.get("reason", "")),
    )
    return redirect("action", action_id=action_id)


@require_POST
@page
def call_off(request: HttpRequest, actor: Principal, action_id: UUID) -> HttpResponse:
    """End a notice that nothing has followed from."""
    cancel_action(actor=actor, at=utc_now(), action_id=action_id, reason=str(request.POST.get("reason", "")))
    return redirect("action", action_id=action_id)


@require_POST
@page
def paid(request: HttpRequest, actor: Principal, action_id: UUID) -> HttpResponse:
    """The money has arrived, known by a statement."""
    at = utc_now()
    today = today_of(get_action(action_id), at)
    statement = str(request.POST.get("statement", ""))
    confirm_payment(actor=actor, at=at, action_id=action_id, today=today, statement=statement)
    return redirect("action", action_id=action_id)


def _typed(request: HttpRequest) -> dict[str, str]:
    names = (*ALL_COLUMNS, "reason")
    return {name: str(request.POST.get(name, ""))[:200] for name in names}


def _form(actor: Principal, typed: dict[str, str], faults: dict[str, str]) -> dict[str, Any]:
    return {
        "typed": typed,
        "faults": faults,
        "groups": (("Dates", DATES), ("Split", SPLIT), ("Dividend, money of fractions", MONEY), ("New name", NAMES)),
        "kinds": {kind.value: word for kind, word in KIND_WORDS.items()},
        "fraction_words": {one.value: word for one, word in FRACTION_WORDS.items()},
        "why_not": "" if actor_may(actor, ASK_STATIC_DATA) else WHY_NOT,
    }


def _list(request: HttpRequest) -> dict[str, Any]:
    view = request.GET.get("view", "open")
    view = view if view in VIEWS else "open"
    return {"view": view, "views": VIEWS, "rows": list_actions(view)}


def _list_page(
    request: HttpRequest,
    actor: Principal,
    *,
    typed: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
    loaded: LoadResult | None = None,
    status: int = 200,
) -> HttpResponse:
    context = _list(request) | _form(actor, typed or {}, faults or {})
    context |= {
        "loaded": loaded,
        "needed": ACTION_COLUMNS,
        "optional": [name for name in COLUMNS if name not in ACTION_COLUMNS],
    }
    return render(request, "operations/actions.html", context, status=status)


def _action_page(
    request: HttpRequest,
    actor: Principal,
    action_id: UUID,
    *,
    typed: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    at = utc_now()
    shown = get_action_page(actor, action_id, at=at)
    known = {name: value or "" for name, value in terms_to_json(shown.terms).items()}
    context = _form(actor, typed or known, faults or {}) | {
        "page": shown,
        "action": shown.action,
        "terms": shown.terms,
        "preview": shown.preview,
        "now": at,
        "may_correct": is_correctable(shown.action),
        "may_apply": may_apply(shown.action) and shown.pending is None,
        "may_undo": may_undo(shown.action) and shown.pending is None,
    }
    part = request.GET.get("part")
    return render(request, f"operations/{'parts/action_figures' if part else 'action'}.html", context, status=status)
