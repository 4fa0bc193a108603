"""How long records are kept, what is held, what was archived; and the forms that hold, let go and change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import KEEP_RECORDS, Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.selectors.retention import get_retention_page
from operations.services.ask_hold_release import ask_hold_release
from operations.services.ask_retention_change import ask_retention_change
from operations.services.place_legal_hold import KINDS, HoldAsked, place_legal_hold
from operations.views.edge import actor_may, page

NO_RIGHT = "Your role may not keep records: compliance does."


@require_GET
@page
def retention(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page."""
    context: dict[str, Any] = {
        "retention": get_retention_page(at=utc_now()),
        "kinds": KINDS.items(),
        "why_not": "" if actor_may(actor, KEEP_RECORDS) else NO_RIGHT,
    }
    return render(request, "operations/retention.html", context)


@require_POST
@page
def hold(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Place a hold."""
    place_legal_hold(actor=actor, at=utc_now(), hold=read_hold(request.POST.dict()))
    return _back(request)


@require_POST
@page
def release(request: HttpRequest, actor: Principal, hold_id: UUID) -> HttpResponse:
    """Ask for the release of a hold."""
    asked = ask_hold_release(actor=actor, at=utc_now(), hold_id=hold_id, reason=request.POST.get("reason", ""))
    return _to_approval(request, asked.id)


@require_POST
@page
def change(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask for another time that a class of records is kept."""
    text = request.POST.get("days", "").replace(",", "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise Invalid("RETENTION_INVALID", "Days are a whole number.", {"days": ["A whole number."]})
    asked = ask_retention_change(
        actor=actor,
        at=utc_now(),
        record_class=request.POST.get("record_class", ""),
        days=int(text),
        reason=request.POST.get("reason", ""),
    )
    return _to_approval(request, asked.id)


def read_hold(data: dict[str, Any]) -> HoldAsked:
    """The hold as typed, its days in UTC; raises Invalid HOLD_INVALID for a day that is none."""
    faults: dict[str, list[str]] = {}
    days: dict[str, datetime | None] = {"from_at": None, "to_at": None}
    for name in days:
        text = str(data.get(name, "")).strip()
        try:
            days[name] = datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
        except ValueError:
            faults[name] = ["A day is written 2026-11-21."]
    begins = days["from_at"]
    if begins is None:
        faults.setdefault("from_at", ["Say from which day."])
    if begins is None or faults:
        raise Invalid("HOLD_INVALID", "The hold cannot be placed so.", faults)
    return HoldAsked(
        matter=str(data.get("matter", "")),
        reason=str(data.get("reason", "")),
        subject_kind=str(data.get("subject_kind", "")),
        subject=str(data.get("subject", "")),
        from_at=begins,
        to_at=days["to_at"],
    )


def _back(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": "/admin/retention"})
    return redirect("retention")


def _to_approval(request: HttpRequest, approval_id: UUID) -> HttpResponse:
    where = f"/approvals?view=raised&id={approval_id}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return redirect(where)
