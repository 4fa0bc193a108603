"""Whether allocations were fair: what each account got over a period against what it was to get, with what luck cannot explain."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from allocations.domain.fairness import ALPHA, CHANGED, CHERRY, DEALS, LEAST_BLOCKS, LEAST_TRIALS
from allocations.selectors.fairness import MOST_BLOCKS, examine_fairness
from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from operations.selectors.alloc import list_desks
from operations.selectors.alloc_tables import fairness_table
from operations.views.edge import page
from operations.views.exports import handed_over, heading_for

DAYS = 30
MOST_DAYS = 400
FLAG_WORDS = {CHERRY: "winners went to it", CHANGED: "changed in its favour after the price moved"}


@require_GET
@page
def fairness(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Every account of a period, those with a question first."""
    asked = _period(request)
    context = {
        "found": examine_fairness(actor=actor, **asked),
        "start": asked["start"],
        "end": asked["end"],
        "desk": asked["desk_id"],
        "desks": list_desks(actor),
        "list_export": f"/alloc/fairness/export?{_query(asked)}",
        "flag_words": FLAG_WORDS,
        "level": ALPHA * 100,
        "deals": DEALS,
        "least_blocks": LEAST_BLOCKS,
        "least_trials": LEAST_TRIALS,
        "most": MOST_BLOCKS,
    }
    return render(request, "operations/alloc_fairness.html", context)


def _period(request: HttpRequest) -> dict[str, Any]:
    """``from``, ``to`` and ``desk``; the last thirty days of every desk without them. Raises Invalid PERIOD_INVALID."""
    today = timezone.localdate()
    start, end, desk = (request.GET.get(name, "")[:20] for name in ("from", "to", "desk"))
    try:
        last = date.fromisoformat(end) if end else today
        first = date.fromisoformat(start) if start else last - timedelta(days=DAYS - 1)
    except (ValueError, OverflowError):
        raise Invalid("PERIOD_INVALID", "A day is written as 2026-11-20.") from None
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        raise Invalid("PERIOD_INVALID", f"A period has its last day at its end and at most {MOST_DAYS} days.")
    return {
        "start": first,
        "end": last,
        "desk_id": int(desk) if desk.isascii() and desk.isdecimal() and len(desk) < 10 else None,
    }


def _query(asked: dict[str, Any]) -> str:
    return urlencode({"from": asked["start"], "to": asked["end"], "desk": asked["desk_id"] or ""})


@require_GET
@page
def fairness_export(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The same as a file, with how it was tested in its heading."""
    asked = _period(request)
    found = examine_fairness(actor=actor, **asked)
    told = {
        "from": asked["start"].isoformat(),
        "to": asked["end"].isoformat(),
        "desk": str(asked["desk_id"] or "any"),
        "blocks": str(found.blocks),
        "accounts tested": str(found.family),
        "level": f"{ALPHA} for all accounts together",
    }
    heading = heading_for(actor, "Fairness of allocations", told)
    return handed_over(request, actor, fairness_table(heading=heading, rows=found.records, names=found.names))
