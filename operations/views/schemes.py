"""``/alloc/schemes``: saved ways to divide blocks, and a form to ask a second person for another, a change, or an end.

Nothing is changed here. What a change would do is shown before it is asked, by the dry run that the second person sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from allocations.domain.methods import AMOUNT_KEY, LABELS
from allocations.domain.words import Method
from allocations.models import Scheme
from allocations.permissions import ALLOCATE_BLOCK, WORK_POST_TRADE, require_scheme_asker
from allocations.selectors.schemes import body_of, last_scheme, list_wash_accounts
from allocations.services._acting import Acted
from allocations.services.ask_scheme import ask_scheme, ask_scheme_end, check_scheme
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, OmsError
from kernel.ids import new_id
from operations.selectors.alloc import list_desks
from operations.selectors.scheme_effects import scheme_effect
from operations.selectors.schemes_page import SchemePage, get_scheme_page, list_scheme_rows
from operations.views.alloc_form import DEFAULTS, MINIMUM_WORDS, PARTIAL_WORDS, as_kept
from operations.views.edge import actor_may, is_part, page

ROUTE = "schemes"
NO_RIGHT = "Your role may not ask for schemes of allocation."
SAVED = {method.value: label for method, label in LABELS.items() if method is not Method.MANUAL}
LONGEST = 2_000_000


@require_GET
@page
def schemes(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The list, and with ``code`` one of them; its form is filled with it."""
    code = request.GET.get("code", "")[:24]
    shown = get_scheme_page(actor, code) if code else None
    context = {
        "rows": list_scheme_rows(actor),
        "shown": shown,
        "typed": _typed_of(shown),
        "why_not": _why_not(actor, shown),
        "why_not_end": _why_not_end(actor, shown),
        "methods": SAVED,
        "partials": {word.value: label for word, label in PARTIAL_WORDS.items()},
        "minimums": {word.value: label for word, label in MINIMUM_WORDS.items()},
        "desks": list_desks(actor),
        "of_the_firm": actor_may(actor, WORK_POST_TRADE),
        "wash_accounts": list_wash_accounts(actor),
        "said": request.GET.get("said", "")[:300],
        "key": str(new_id()),
        "key_end": str(new_id()),
    }
    return render(request, "operations/alloc_schemes.html", context)


def _why_not(actor: Principal, shown: SchemePage | None) -> str:
    """Why this person cannot ask for the scheme as shown; the service refuses for the same reasons."""
    if not (actor_may(actor, ALLOCATE_BLOCK) or actor_may(actor, WORK_POST_TRADE)):
        return NO_RIGHT
    if shown is None:
        return ""
    if shown.hidden:
        return "It has lines of accounts that you may not see: whoever sees them all asks for a change."
    if shown.row.request_id:
        return f"A change of {shown.row.scheme.code} waits for a second person already."
    if shown.row.scheme.desk is None and not actor_may(actor, WORK_POST_TRADE):
        return "A scheme of every desk is asked for by operations."
    return ""


def _why_not_end(actor: Principal, shown: SchemePage | None) -> str:
    """An end is asked for by whoever may ask at all: what it divides among needs not be seen."""
    if shown is None:
        return ""
    if shown.row.scheme.ended:
        return f"{shown.row.scheme.code} has ended already."
    return _why_not(actor, SchemePage(shown.row, shown.lines, 0, shown.versions))


@require_POST
@page
def check(request: HttpRequest, actor: Principal) -> HttpResponse:
    """What the scheme as typed would do, or what is wrong with it. Nothing is kept."""
    require_scheme_asker(actor)
    context: dict[str, Any] = {}
    try:
        body = check_scheme(actor, read_form(request.POST))
        last = last_scheme(body["code"])
        stands = body_of(last) if last is not None and not last.ended else None
        context["effect"] = scheme_effect(actor, stands, body, at=utc_now())
    except OmsError as error:
        context["error"] = error
    return render(request, "operations/parts/scheme_effect.html", context)


@require_POST
@page
def ask(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Put it before a second person."""
    require_scheme_asker(actor)
    given, reason = read_form(request.POST), request.POST.get("reason", "")
    key = request.POST.get("key", "")[:64]
    asked = ask_scheme(actor=actor, at=utc_now(), idempotency_key=key, route=f"{ROUTE}.ask", given=given, reason=reason)
    return _asked(request, asked, "ask")


@require_POST
@page
def end(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask that it ends."""
    require_scheme_asker(actor)
    key, code = request.POST.get("key", "")[:64], request.POST.get("code", "")[:24]
    reason = request.POST.get("reason", "")
    asked = ask_scheme_end(
        actor=actor, at=utc_now(), idempotency_key=key, route=f"{ROUTE}.end", code=code, reason=reason
    )
    return _asked(request, asked, "end")


def _asked(request: HttpRequest, asked: Acted, form: str) -> HttpResponse:
    """What was asked, and a new key for the next time the form is sent."""
    if is_part(request):
        return render(
            request, "operations/parts/scheme_asked.html", {"asked": asked, "form": form, "key": str(new_id())}
        )
    return redirect("alloc-schemes")


def read_form(data: QueryDict) -> dict[str, Any]:
    """What was typed, as the service reads it. Raises Invalid LINES_INVALID for a line that is none."""
    method = data.get("method", "")[:20]
    parameters: dict[str, Any] = {
        name: data[name] for name, usual in DEFAULTS.items() if data.get(name, "") not in ("", usual)
    }
    lot, places = str(data.get("lot", "")).strip()[:40], str(data.get("price_places", "")).strip()[:3]
    if lot:
        parameters["lot"] = as_kept(lot)
    if places:
        parameters["price_places"] = int(places) if places.isdecimal() else places
    if data.get("house_needed") == "yes":
        parameters["house_needed"] = True
    words = {name: str(data.get(name, ""))[:90] for name in ("code", "name", "desk", "wash_account", "strategy")}
    return {
        **words,
        "method": method,
        "lines": lines_of_text(str(data.get("lines", ""))[:LONGEST], method),
        "parameters": parameters,
        "books_alone": data.get("books_alone") == "yes",
    }


def lines_of_text(text: str, method: str) -> list[dict[str, Any]]:
    """One line a row: account, amount, and where there are such, minimum and ``house``; between them a comma, semicolon or tab."""
    key = AMOUNT_KEY[Method(method)] if method in SAVED else "weight"
    found, wrong = [], {}
    rows = [row for row in text.splitlines() if row.strip()]
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row.replace(";", ",").replace("\t", ",").split(",")]
        house = cells[-1].lower() == "house"
        cells = cells[:-1] if house else cells
        if not 2 <= len(cells) <= 3:
            wrong[f"lines.{number}"] = ["A line is: account, amount, minimum (or nothing), house (or nothing)."]
            continue
        line: dict[str, Any] = {"account": cells[0].upper(), key: as_kept(cells[1])}
        if len(cells) == 3 and cells[2]:
            line["min_qty"] = as_kept(cells[2])
        found.append(line | ({"house": True} if house else {}))
    if wrong:
        raise Invalid("LINES_INVALID", f"{len(wrong)} of {len(rows)} lines cannot be read.", wrong)
    return found


def text_of_lines(lines: Iterable[Mapping[str, Any]], key: str) -> str:
    """The inverse of :func:`lines_of_text`."""
    return "\n".join(
        ", ".join(
            [line["account"], line.get(key, "0")]
            + ([line["min_qty"]] if "min_qty" in line else [])
            + (["house"] if line.get("house") else [])
        )
        for line in lines
    )


def _typed_of(shown: SchemePage | None) -> dict[str, Any]:
    """What the form opens with."""
    if shown is None:
        return {"method": Method.WEIGHTS.value, "parameters": {}}
    scheme: Scheme = shown.row.scheme
    return {**body_of(scheme), "lines": text_of_lines(shown.lines, shown.amount_key)}
