"""Contract notes: what clients were told, by day, account and state; one note with its facts, its file and what took its place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from allocations.api.notes import read_filter
from allocations.permissions import WORK_POST_TRADE
from allocations.printing.kept import pdf_of_note
from allocations.selectors.notes import MOST, get_note, history_of, list_notes, list_waiting
from allocations.services.issue_note import issue_note
from allocations.services.issue_notes import issue_notes
from allocations.services.reissue_note import reissue_note
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.views.edge import actor_may, page

WHY_NOT = "Your role looks on; operations issue notes."


@require_GET
@page
def notes(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The list with its filter, and who waits for a note; with ``part`` the list alone."""
    wanted = read_filter(request.GET)
    context = {
        "notes": list_notes(actor, wanted),
        "wanted": wanted,
        "day_text": request.GET.get("day", "").strip(),
        "waiting": list_waiting(actor, at=utc_now()),
        "most": MOST,
        "why_not": "" if actor_may(actor, WORK_POST_TRADE) else WHY_NOT,
    }
    return render(request, f"operations/{'parts/note_list' if request.GET.get('part') else 'notes'}.html", context)


@require_POST
@page
def issue(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Issue now: all of a market and day, or one trade."""
    trade = request.POST.get("trade", "").strip()
    if trade:
        return redirect("note", note_id=issue_note(actor=actor, at=utc_now(), allocation_ref=trade))
    try:
        day = date.fromisoformat(request.POST.get("day", "").strip())
    except ValueError:
        raise Invalid("DAY_INVALID", "Say which day, as 2026-11-25.", {"day": ["A day as 2026-11-25."]}) from None
    issue_notes(actor=actor, at=utc_now(), mic=request.POST.get("mic", "").strip().upper(), day=day)
    return redirect("notes")


@require_GET
@page
def note(request: HttpRequest, actor: Principal, note_id: UUID) -> HttpResponse:
    """One note: its facts as they are printed, and its history."""
    found = get_note(actor, note_id)
    live = found.state == "issued" and found.cancels_id is None
    context = {
        "note": found,
        "facts": found.facts,
        "trades": [_shown(trade) for trade in found.facts["trades"]],
        "history": history_of(actor, found),
        "pdf_sha256": bytes(found.pdf_sha256).hex(),
        "late": found.due_at is not None and found.issued_at > found.due_at,
        "why_not": WHY_NOT
        if not actor_may(actor, WORK_POST_TRADE)
        else (
            ""
            if live
            else "It does not stand any more."
            if found.cancels_id is None
            else "A cancellation stands for good."
        ),
    }
    return render(request, "operations/note.html", context)


def _shown(trade: dict[str, Any]) -> dict[str, Any]:
    """A trade of the facts with its figures as numbers."""
    return trade | {name: Decimal(trade[name]) for name in ("qty", "price", "gross", "fees", "net")}


@require_GET
@page
def pdf(request: HttpRequest, actor: Principal, note_id: UUID) -> HttpResponse:
    """The file, byte for byte as it was recorded."""
    found = get_note(actor, note_id)
    answer = HttpResponse(pdf_of_note(found), content_type="application/pdf")
    how = "inline" if request.GET.get("look") else "attachment"
    answer["Content-Disposition"] = f'{how}; filename="{found.ref}.pdf"'
    return answer


@require_POST
@page
def reissue(request: HttpRequest, actor: Principal, note_id: UUID) -> HttpResponse:
    """Another in its place; then that one."""
    reissue_note(actor=actor, at=utc_now(), note_id=note_id, reason=request.POST.get("reason", ""))
    return redirect("note", note_id=history_of(actor, get_note(actor, note_id))[-1].id)
