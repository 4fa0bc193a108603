"""Allocations: the list of blocks with its clocks, and one block: who gets what of it, shown before it is booked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from allocations.domain.methods import LABELS
from allocations.domain.second_person import Wanted
from allocations.domain.transitions import DISSOLVED
from allocations.domain.weighing import WeighedLine
from allocations.domain.words import Method, PartialFill
from allocations.models import Block
from allocations.permissions import ALLOCATE_BLOCK
from allocations.selectors.cases import find_scheme, said_for, worth_of
from allocations.selectors.schemes import seen_lines
from allocations.selectors.seeing import get_block
from allocations.services.book_allocation import book_allocation, is_waiting
from allocations.services.preview_allocation import AllocationPreview, preview_allocation, preview_json
from allocations.services.release_parked import release_parked
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.collecting import no_collecting
from kernel.errors import Invalid, OmsError, Refused
from kernel.ids import new_id
from operations.selectors.alloc import (
    VIEWS,
    BlockPage,
    count_blocks,
    get_block_story,
    list_blocks,
    list_desks,
    list_schemes,
)
from operations.selectors.alloc_tables import blocks_table
from operations.views.alloc_form import (
    MINIMUM_WORDS,
    MOST_TYPED,
    PARTIAL_WORDS,
    AllocForm,
    TypedLine,
    form_of,
    read_form,
)
from operations.views.edge import actor_may, is_part, page
from operations.views.exports import handed_over, heading_for

NO_RIGHT = "Your role may not allocate blocks."
MOST_EXPORTED = 50_000


@require_GET
@page
def blocks(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Blocks of a view, newest first; with ``part`` the list alone."""
    at = utc_now()
    asked = _filter(request)
    found = list_blocks(actor=actor, at=at, before=_before(request), **asked)
    desk, day = asked["desk_id"], asked["day"]
    context = {
        "page": found,
        "views": VIEWS,
        "view": asked["view"],
        "counts": count_blocks(actor=actor, desk_id=desk, day=day),
        "desks": list_desks(actor),
        "desk": desk,
        "day_text": day.isoformat() if day else "",
        "kept": _query(asked),
        "list_export": f"/alloc/export?{_query(asked)}",
        "list_url": f"/alloc?{_query(asked)}&before={request.GET.get('before', '')[:18]}",
        "at": at,
    }
    return render(request, f"operations/{'parts/alloc_list' if request.GET.get('part') else 'alloc'}.html", context)


def _filter(request: HttpRequest) -> dict[str, Any]:
    view, desk, day = (request.GET.get(name, "")[:20] for name in ("view", "desk", "day"))
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        raise Invalid("PARAMETERS_INVALID", "A day is written as 2026-11-20.") from None
    return {
        "view": view if view in VIEWS else "open",
        "desk_id": int(desk) if desk.isascii() and desk.isdecimal() and len(desk) < 10 else None,
        "day": on,
    }


def _before(request: HttpRequest) -> int | None:
    text = request.GET.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _query(asked: Mapping[str, Any]) -> str:
    day = asked["day"]
    return urlencode({"view": asked["view"], "desk": asked["desk_id"] or "", "day": day.isoformat() if day else ""})


@require_GET
@page
def blocks_export(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The blocks of a filter."""
    asked = _filter(request)
    heading = heading_for(actor, "Blocks", dict(pair.split("=") for pair in _query(asked).split("&")))
    found: BlockPage = list_blocks(actor=actor, at=heading.at, limit=MOST_EXPORTED, **asked)
    return handed_over(request, actor, blocks_table(heading=heading, rows=found.rows))


@require_GET
@page
def block(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """One block: how it would be allocated now, and what became of it. With ``part`` the latter alone."""
    at = utc_now()
    row = get_block(actor, ref)
    why_not = "" if actor_may(actor, ALLOCATE_BLOCK) else NO_RIGHT
    context = {"bk": row, "story": get_block_story(actor=actor, at=at, block=row), "at": at, "why_not_release": why_not}
    if request.GET.get("part"):
        return render(request, "operations/parts/alloc_story.html", context)
    said = said_for(row)
    chosen = request.GET.get("scheme", "")[:24]
    wanted = _of_scheme(row, chosen) if chosen else said
    shown, hidden = _seen(actor, wanted)
    form = _form(actor, row, said, form_of(shown), at=at, hidden=hidden) | {"chosen": chosen}
    return render(request, "operations/alloc_block.html", context | form)


def _of_scheme(row: Block, code: str) -> Wanted:
    scheme = find_scheme(code, row.desk_id)
    return Wanted(scheme.method, scheme.code, scheme.lines, scheme.parameters)


def _seen(actor: Principal, wanted: Wanted | None) -> tuple[Wanted | None, int]:
    """What is wanted by the lines of accounts the actor may see, and how many other lines it has."""
    if wanted is None:
        return None, 0
    lines, hidden = seen_lines(actor, wanted.lines)
    return replace(wanted, lines=lines), hidden


@require_POST
@page
def preview(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """The form with what it gives now; what is wrong is said beside it, and nothing typed is lost."""
    row = get_block(actor, ref)
    said = said_for(row)
    typed = read_form(request.POST, _seen(actor, said)[0])
    context = {"bk": row} | _form(actor, row, said, typed, at=utc_now())
    status = context["error"].http_status if context["error"] else 200
    return render(request, "operations/parts/alloc_form.html", context, status=status)


@require_GET
@page
def lines(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """Every line of what would be booked, by ``scheme`` or as said beforehand: for programs, and for proposals too long to show."""
    scheme = request.GET.get("scheme", "")[:24]
    with no_collecting():  # all that is made for it is gone again once it is told
        told = preview_json(preview_allocation(actor=actor, at=utc_now(), block_ref=ref, scheme=scheme))
    return HttpResponse(told, content_type="application/json")


@require_POST
@page
def book(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """Book what the preview showed, or ask a second person to; refused when the block has changed since."""
    row = get_block(actor, ref)
    said = said_for(row)
    typed = read_form(request.POST, _seen(actor, said)[0])
    book_allocation(
        actor=actor,
        at=utc_now(),
        idempotency_key=request.POST.get("key", "")[:64],
        block_ref=row.ref,
        reason=typed.reason,
        preview_hash=request.POST.get("digest", "")[:64],
        **typed.asked(_source(row, typed, said)),
    )
    if not is_part(request):
        return redirect("alloc-block", ref=row.ref)
    return HttpResponse(headers={"HX-Redirect": f"/alloc/{row.ref}"})


@require_POST
@page
def release(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """A parked share out of suspense; what still speaks against it is said in place, and nothing moves."""
    row = get_block(actor, ref)
    release_parked(actor=actor, at=utc_now(), allocation_ref=request.POST.get("line", "")[:24], block_ref=row.ref)
    if not is_part(request):
        return redirect("alloc-block", ref=row.ref)
    return HttpResponse(headers={"HX-Redirect": f"/alloc/{row.ref}"})


def _form(
    actor: Principal, row: Block, said: Wanted | None, typed: AllocForm, *, at: datetime, hidden: int = 0
) -> dict[str, Any]:
    """The form, its choices, and the preview or the reason why there is none. ``hidden``: lines the actor may not see, so that this
    person divides it by other lines or not at all."""
    why_not = _why_not(actor, row)
    shown, error = None, None
    if not why_not and not hidden and (typed.whole or any(line.account for line in typed.lines)):
        try:
            shown = preview_allocation(actor=actor, at=at, block_ref=row.ref, **typed.asked(_source(row, typed, said)))
        except (Invalid, Refused) as raised:
            error = raised
    return {
        "typed": typed,
        "hidden": hidden,
        "worth": worth_of(row, at=at),
        "said": said,
        "said_word": LABELS[Method(said.method)] if said else "",
        "lines": _rows(typed, shown, error),
        "preview": shown,
        "error": error,
        "why_not": why_not,
        "why_not_book": _why_not_book(row),
        "key": str(new_id()),
        "methods": {method.value: label for method, label in LABELS.items()},
        "partials": {word.value: label for word, label in PARTIAL_WORDS.items()},
        "minimums": {word.value: label for word, label in MINIMUM_WORDS.items()},
        "partial_word": PARTIAL_WORDS[PartialFill(typed.parameters.get("partial", PartialFill.PRO_RATA))]
        if shown
        else "",
        "schemes": list_schemes(row.desk_id),
    }


def _source(row: Block, typed: AllocForm, said: Wanted | None) -> Wanted | None:
    """Where lines that are too many to be typed come from: the scheme that was chosen, else what was said beforehand."""
    if not typed.whole or (said is not None and said.scheme == typed.scheme):
        return said
    return _of_scheme(row, typed.scheme)


def _why_not(actor: Principal, row: Block) -> str:
    """Why this person cannot allocate it; the services refuse for the same reasons."""
    if not actor_may(actor, ALLOCATE_BLOCK):
        return NO_RIGHT
    if row.kind == Block.Kind.DIRECT:
        return "An order for the account's own: there is nothing to allocate."
    return "Nothing of it is left." if row.state == DISSOLVED else ""


def _why_not_book(row: Block) -> str:
    return f"An allocation of {row.ref} waits for a second person already." if is_waiting(row) else ""


def _rows(typed: AllocForm, shown: AllocationPreview | None, error: OmsError | None) -> list[dict[str, Any]]:
    """Typed lines beside what they get; of proposals too long to type, the first lines alone."""
    if typed.whole:
        first = shown.lines[:MOST_TYPED] if shown else []
        return [_row(TypedLine(account=line.account), line, shown) for line in first]
    by_code = {line.account: line for line in shown.lines} if shown else {}
    wrong = error.fields if isinstance(error, Invalid) else {}
    rows, number = [], 0
    for line in typed.rows:
        number += bool(line.account)
        sentences = wrong.get(f"lines.{number}", []) + wrong.get(line.account, []) if line.account else []
        rows.append(_row(line, by_code.get(line.account), shown, " ".join(sentences)))
    return rows


def _row(typed: TypedLine, got: WeighedLine | None, shown: AllocationPreview | None, wrong: str = "") -> dict[str, Any]:
    share = 100 * got.line.qty / shown.block.qty if got and shown and shown.block.qty else None
    return {"typed": typed, "got": got, "share": share, "wrong": wrong}
