"""Reconciliation: runs, one run with its breaks beside one break, two runs compared, ageing, and all of that as files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound
from operations.domain.recon_words import BUCKETS, BY_NAME
from operations.selectors.recon.ageing import list_ageing, list_coming_back, list_recurrence
from operations.selectors.recon.break_page import get_break
from operations.selectors.recon.breaks import list_breaks_of_run, list_tiles, net_of
from operations.selectors.recon.differences import RunDiff, compare_runs
from operations.selectors.recon.report import run_report
from operations.selectors.recon.runs import RunRow, find_run_before, get_run, list_kept, list_runs, list_sources
from operations.selectors.recon.tables import (
    ageing_table,
    breaks_of_run,
    breaks_table,
    coming_back_table,
    difference_table,
    recurrence_table,
    runs_table,
)
from operations.services.record_read import RECORDS_EXPORTED, record_read
from operations.views.break_repairs import break_context
from operations.views.edge import actor_may, is_part, page
from operations.views.exports import file_answer, handed_over, heading_for
from reconciliation.domain.records import RECONCILED
from reconciliation.permissions import WORK_BREAK
from reconciliation.selectors.seeing import sees_totals
from reconciliation.selectors.signing import open_statement, why_not_signing
from reconciliation.selectors.start import list_held
from reconciliation.services.sign_run_off import sign_run_off

KINDS = {"": "All", **{kind.value: kind.value.replace("_", " ").capitalize() for kind in RECONCILED}}
WORDS = {"": "All", "new": "New", "standing": "Standing", "closed": "Closed by it"}
NO_RIGHT = "Your role may not start comparisons."
MOST_EXPORTED_RUNS = 5_000
MOST_COMPARED = 50_000
AGEING_PARTS = {"ageing": ageing_table, "recurrence": recurrence_table, "coming-back": coming_back_table}


@require_GET
@page
def runs(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Runs, newest first; with ``part`` the list alone, which draws itself anew while one is moving."""
    at = utc_now()
    kind, source, before = _filter(request)
    context = {
        "page": list_runs(actor=actor, at=at, kind=kind, source=source, before=before),
        "kinds": KINDS,
        "kind": kind,
        "source": source,
        "before": before,
        "sources": list_sources(),
        "why_not_start": "" if actor_may(actor, WORK_BREAK) else NO_RIGHT,
        "kept": list_kept() if actor_may(actor, WORK_BREAK) else [],
        "held": list_held(),
        "today": timezone.localdate(),
        "list_export": f"/recon/export?{urlencode({'kind': kind, 'source': source, 'before': before})}",
        "at": at,
    }
    template = "operations/parts/recon_runs.html" if request.GET.get("part") else "operations/recon.html"
    return render(request, template, context)


def _filter(request: HttpRequest) -> tuple[str, str, str]:
    kind = request.GET.get("kind", "")
    return kind if kind in KINDS else "", request.GET.get("source", "")[:40], request.GET.get("before", "")[:80]


@require_GET
@page
def runs_export(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The runs of a filter."""
    kind, source, before = _filter(request)
    heading = heading_for(actor, "Reconciliation runs", {"kind": kind, "source": source})
    found = list_runs(actor=actor, at=heading.at, kind=kind, source=source, before=before, limit=MOST_EXPORTED_RUNS)
    return handed_over(request, actor, runs_table(heading=heading, rows=found.rows))


@require_GET
@page
def run(request: HttpRequest, actor: Principal, run_id: UUID) -> HttpResponse:
    """Tiles, the breaks of a family on the left, one of them explained on the right; with ``part`` the list alone."""
    at = utc_now()
    row = get_run(actor=actor, at=at, run_id=run_id)
    context = _list_of(request, actor, row)
    if request.GET.get("part"):
        return render(request, "operations/parts/recon_breaks.html", context)
    tiles = list_tiles(actor=actor, run=row.run)
    chosen = request.GET.get("break", "")[:20]
    if chosen:
        context |= break_context(actor, get_break(actor=actor, ref=chosen), at) | {"beside": True}
    told = urlencode({"family": context["family"], "word": context["word"]})
    context |= {
        "tiles": tiles,
        "net": net_of(tiles),
        "earlier": find_run_before(row.run),
        "list_export": f"/recon/{run_id}/export?{told}",
        "may_cancel": actor_may(actor, WORK_BREAK),
        **_signing(actor, row),
    }
    return render(request, "operations/recon_run.html", context)


def _signing(actor: Principal, row: RunRow) -> dict[str, Any]:
    """What a signer would take note of now, and why this person may not be the signer."""
    left_open = open_statement(row.run)
    seen = left_open if sees_totals(actor) else replace(left_open, count=0, accepted=0, by_category={}, exposure={})
    return {"left_open": seen, "why_not_sign": why_not_signing(row.run, actor, statement=left_open)}


@require_POST
@page
def sign_off(request: HttpRequest, actor: Principal, run_id: UUID) -> HttpResponse:
    """Take note of what is open, as read."""
    statement, digest = request.POST.get("statement", ""), request.POST.get("digest", "")
    sign_run_off(actor=actor, at=utc_now(), run_id=run_id, statement=statement, digest=digest)
    if not is_part(request):
        return redirect("recon-run", run_id=run_id)
    row = get_run(actor=actor, at=utc_now(), run_id=run_id)
    return render(request, "operations/parts/recon_sign.html", {"row": row, "run": row.run} | _signing(actor, row))


@require_GET
@page
def run_report_file(request: HttpRequest, actor: Principal, run_id: UUID) -> HttpResponse:
    """The report as ``form``: pdf, xlsx or json; on record before it leaves."""
    form, at = request.GET.get("form", "pdf"), utc_now()
    made = run_report(actor=actor, row=get_run(actor=actor, at=at, run_id=run_id), form=form)
    what = {
        "what": f"report of run {run_id}", "form": form, "rows": made.rows, "rows_sha256": made.rows_sha256,
        "sha256": made.sha256,
    }  # fmt: skip
    record_read(actor=actor, at=at, kind=RECORDS_EXPORTED, what=what)
    return file_answer(made.name, made.content_type, made.body, made.sha256)


def _list_of(request: HttpRequest, actor: Principal, row: RunRow) -> dict[str, Any]:
    family, word, after = request.GET.get("family", ""), request.GET.get("word", ""), request.GET.get("after", "")
    family, word = family if family in BY_NAME else "", word if word in WORDS else ""
    behind = int(after) if after.isdecimal() and len(after) <= 12 else 0
    return {
        "row": row,
        "run": row.run,
        "family": family,
        "of_family": BY_NAME.get(family),
        "word": word,
        "words": WORDS,
        "after": behind,
        "breaks": list_breaks_of_run(actor=actor, run=row.run, at=row.at, family=family, word=word, after=behind),
        "at": row.at,
    }


@require_GET
@page
def run_progress(request: HttpRequest, actor: Principal, run_id: UUID) -> HttpResponse:
    """The line that says how far a run is; when it has ended, the page around it is drawn anew."""
    row = get_run(actor=actor, at=utc_now(), run_id=run_id)
    context = {"row": row, "run": row.run, "may_cancel": actor_may(actor, WORK_BREAK)}
    response = render(request, "operations/parts/recon_progress.html", context)
    if not row.is_moving and is_part(request):
        response.headers["HX-Refresh"] = "true"
    return response


@require_GET
@page
def run_export(request: HttpRequest, actor: Principal, run_id: UUID) -> HttpResponse:
    """The breaks of a run, of a family and a word where given."""
    at = utc_now()
    row = get_run(actor=actor, at=at, run_id=run_id)
    family, word = request.GET.get("family", ""), request.GET.get("word", "")
    told = {"run": str(run_id), "family": family if family in BY_NAME else "", "word": word if word in WORDS else ""}
    heading = heading_for(actor, f"Breaks of {_called(row)}", told, at)
    rows = breaks_of_run(actor=actor, run=row.run, at=at, family=told["family"], word=told["word"])
    return handed_over(request, actor, breaks_table(heading=heading, rows=rows))


def _called(row: RunRow) -> str:
    return f"{row.run.get_kind_display().lower()} with {row.run.source}, {row.run.as_of}"


@require_GET
@page
def run_diff(request: HttpRequest, actor: Principal, run_id: UUID) -> HttpResponse:
    """A run against an earlier one: ``with``, else the one before it."""
    row, diff = _diff(request, actor, run_id)
    recent = list_runs(actor=actor, at=row.at, kind=row.run.kind, source=row.run.source)
    others = [one for one in recent.rows if one.run.pk != row.run.pk]
    told = urlencode({"with": diff.other.pk}) if diff else ""
    context = {
        "row": row,
        "run": row.run,
        "diff": diff,
        "others": others,
        "diff_export": f"/recon/{run_id}/difference/export?{told}",
        "at": row.at,
    }
    return render(request, "operations/recon_diff.html", context)


@require_GET
@page
def run_diff_export(request: HttpRequest, actor: Principal, run_id: UUID) -> HttpResponse:
    """The same, whole, as a file."""
    row, diff = _diff(request, actor, run_id, most=MOST_COMPARED)
    if diff is None:
        raise NotFound("RUN_UNKNOWN", "There is no earlier run to compare with.")
    told = {"run": str(run_id), "with": str(diff.other.pk)}
    heading = heading_for(actor, f"Difference of {_called(row)}", told, row.at)
    return handed_over(request, actor, difference_table(heading=heading, diff=diff))


def _diff(request: HttpRequest, actor: Principal, run_id: UUID, **bounds: int) -> tuple[RunRow, RunDiff | None]:
    row = get_run(actor=actor, at=utc_now(), run_id=run_id)
    named = request.GET.get("with", "")
    try:
        other = get_run(actor=actor, at=row.at, run_id=UUID(named)).run if named else find_run_before(row.run)
    except ValueError as error:
        raise NotFound("RUN_UNKNOWN", "There is no such run.") from error
    if other is None:
        return row, None
    if (other.kind, other.source) != (row.run.kind, row.run.source):
        raise Invalid("RUNS_DIFFER", "Runs are compared that are of the same kind and about the same source.")
    return row, compare_runs(actor=actor, run=row.run, other=other, at=row.at, **bounds)


@require_GET
@page
def ageing(request: HttpRequest, actor: Principal) -> HttpResponse:
    """How old what is open is, and what comes back."""
    at = utc_now()
    context = {
        "rows": list_ageing(actor=actor, at=at),
        "buckets": [title for title, _ in BUCKETS],
        "recurrence": list_recurrence(actor=actor, at=at),
        "coming_back": list_coming_back(actor=actor, at=at),
        "at": at,
    }
    return render(request, "operations/recon_ageing.html", context)


@require_GET
@page
def ageing_export(request: HttpRequest, actor: Principal) -> HttpResponse:
    """``what``: ageing, recurrence or coming-back."""
    what = request.GET.get("what", "ageing")
    if what not in AGEING_PARTS:
        raise Invalid("PARAMETERS_INVALID", "Some query parameters are unknown or malformed.")
    heading = heading_for(actor, f"Breaks: {what.replace('-', ' ')}", {"what": what})
    return handed_over(request, actor, AGEING_PARTS[what](actor=actor, heading=heading))
