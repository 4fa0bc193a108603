"""The start of day: feeds and their files, one file's validation, dry run and acceptance, what stays blocked."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, OmsError
from operations.exporting.table import Column, make_table
from operations.selectors.days import list_day_states
from operations.selectors.openings import list_openings
from operations.selectors.restart import get_restart
from operations.selectors.sync import (
    get_intake,
    list_arrivals,
    list_feed_rows,
    list_intake_rows,
    may_upload,
    row_of,
    since_of,
    totals_of,
    why_not,
)
from operations.views.edge import is_part, led_to, page
from operations.views.exports import handed_over, heading_for
from reconciliation.domain.records import START_OF_DAY
from reconciliation.permissions import require_work
from reconciliation.selectors.feeds import find_feed
from reconciliation.selectors.gates import list_gates
from reconciliation.selectors.start import list_held
from reconciliation.services.ask_acceptance import ask_acceptance
from reconciliation.services.begin_intake import begin_intake
from reconciliation.services.cancel_intake import cancel_intake
from reconciliation.services.list_changes import list_changes
from reconciliation.services.list_rejects import list_rejects
from reconciliation.services.receive_file import receive_file
from reconciliation.services.start_intake import start_intake

MOST_DAYS = 20
MOST_SHOWN = 100
KINDS = {kind.value: kind.value.replace("_", " ").capitalize() for kind in START_OF_DAY}


@require_GET
@page
def sync(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Every feed with what came of it; with ``part`` what moves alone."""
    return _sync_page(request, actor)


def _sync_page(request: HttpRequest, actor: Principal, error: OmsError | None = None) -> HttpResponse:
    at = utc_now()
    feeds = list_feed_rows(at=at)
    context = {
        "feeds": feeds,
        "ready": sum(1 for one in feeds if one.is_ready),
        "rows": list_intake_rows(at=at),
        "arrivals": list_arrivals(),
        "gates": list_gates(at=at),
        "openings": list_openings(at=at),
        "kinds": KINDS,
        "why_not_upload": may_upload(actor),
        "error": error,
        "at": at,
    }
    template = "operations/parts/sync_state.html" if request.GET.get("part") else "operations/sync.html"
    return render(request, template, context, status=error.http_status if error else 200)


@require_GET
@page
def restart(request: HttpRequest, actor: Principal) -> HttpResponse:
    """What a restart begins from and whether the picture is proven, the comparisons markets wait for, and begins and ends of days."""
    at = utc_now()
    context = {"restart": get_restart(), "held": list_held(), "days": list_day_states(limit=MOST_DAYS), "at": at}
    template = "operations/parts/restart_state.html" if request.GET.get("part") else "operations/restart.html"
    return render(request, template, context)


@require_POST
@page
def upload(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Keep a file, hand it to a worker and go to where it is followed; one that is refused at the door says why above the form."""
    require_work(actor)
    chosen, kind = request.FILES.get("file"), request.POST.get("kind", "")
    if chosen is None or kind not in KINDS:
        return _sync_page(request, actor, Invalid("UPLOAD_MISSING", "Choose a file and what it is about."))
    name = chosen.name or "file"
    try:
        received = receive_file(
            actor=actor, at=utc_now(), name=name, content=chosen, kind=kind, feed=find_feed(name, kind=kind),  # type: ignore[arg-type]
            source=request.POST.get("source", "").strip()[:40],
        )  # fmt: skip
        refusing = [fault for fault in received.faults if fault.refuses]
        if refusing or received.file_id is None:
            raise Invalid(refusing[0].code.value, refusing[0].sentence)
        intake = begin_intake(actor=actor, at=utc_now(), file_id=received.file_id)
        start_intake(intake_id=intake.id)
    except OmsError as problem:
        return _sync_page(request, actor, problem)
    return redirect("sync-file", intake_id=intake.id)


@require_GET
@page
def sync_file(request: HttpRequest, actor: Principal, intake_id: UUID) -> HttpResponse:
    """One file: what is wrong with it by rule, totals before and after, and what may be done; with ``part`` its state alone.

    When it does not move any more, the page around it is drawn anew.
    """
    intake = get_intake(intake_id)
    at = utc_now()
    row = row_of(intake, at)
    context = {
        "intake": intake,
        "row": row,
        "totals": totals_of(intake),
        "since": since_of(intake),
        "why": why_not(actor, intake),
    }
    template = "operations/parts/sync_file.html" if request.GET.get("part") else "operations/sync_file.html"
    response = render(request, template, context)
    if is_part(request) and not row.is_moving:
        response.headers["HX-Refresh"] = "true"
    return response


@require_POST
@page
def accept(request: HttpRequest, actor: Principal, intake_id: UUID) -> HttpResponse:
    """Ask a second person to let it in as it is."""
    ask_acceptance(actor=actor, at=utc_now(), intake_id=intake_id, reason=request.POST.get("reason", ""))
    return led_to(request, "sync-file", intake_id=intake_id)


@require_POST
@page
def cancel(request: HttpRequest, actor: Principal, intake_id: UUID) -> HttpResponse:
    """Put it away."""
    cancel_intake(actor=actor, at=utc_now(), intake_id=intake_id, reason=request.POST.get("reason", ""))
    return led_to(request, "sync-file", intake_id=intake_id)


@require_GET
@page
def rejects(request: HttpRequest, actor: Principal, intake_id: UUID) -> HttpResponse:
    """Every row that is left out, with the record as it stands; with ``part`` the first hundred, to look at."""
    intake = get_intake(intake_id)
    if request.GET.get("part"):
        found = list_rejects(intake)
        return render(
            request, "operations/parts/sync_rejects.html", {"rejects": found[:MOST_SHOWN], "count": len(found)}
        )
    heading = heading_for(actor, "Rows left out", {"file": intake.file.name, "kind": intake.kind})
    columns = (
        Column("line", "Line"), Column("code", "Code"), Column("column", "Column"), Column("why", "Why"),
        Column("record", "Record"),
    )  # fmt: skip
    rows = ((one.line, one.code, one.column, one.sentence, one.record) for one in list_rejects(intake))
    return handed_over(request, actor, make_table(heading, columns, rows))


@require_GET
@page
def changes(request: HttpRequest, actor: Principal, intake_id: UUID) -> HttpResponse:
    """Every row that says otherwise than the file applied before it."""
    intake = get_intake(intake_id)
    named = {"file": intake.file.name, "kind": intake.kind, "against": intake.since.get("file", "")}
    heading = heading_for(actor, "Difference to the file before", named)
    columns = (
        Column("word", "What"), Column("named", "Of"), Column("was", "Was"), Column("now", "Is"), Column("line", "Line"),
        Column("line_before", "Line before"),
    )  # fmt: skip
    rows = ((one.word, one.named, one.was, one.now, one.line, one.line_before) for one in list_changes(intake))
    return handed_over(request, actor, make_table(heading, columns, rows))
