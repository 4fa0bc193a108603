"""Uploads of orders: drop a file, watch it being worked, download what was not taken."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import ENTER_ORDER, Principal
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid
from operations.selectors.uploads import error_lines, get_upload, list_rows, list_uploads
from operations.views.edge import actor_may, page
from orders.domain.control_totals import ControlTotals, read_control_totals
from orders.domain.upload_rows import MAX_ROWS, OPTIONAL, REQUIRED
from orders.services.stage_upload import stage_upload
from orders.services.start_upload import start_upload
from orders.services.stop_upload import stop_upload


@require_GET
@page
def uploads(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The form and the actor's uploads."""
    return _uploads_page(request, actor)


@require_POST
@page
def upload_file(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Stage the file and go to its page; a file that is refused whole says why above the form."""
    chosen = request.FILES.get("file")
    if chosen is None:
        return _uploads_page(request, actor, Invalid("UPLOAD_MISSING", "Choose a .csv or .xlsx file."))
    try:
        upload_id = stage_upload(
            actor=actor,
            at=utc_now(),
            file_name=chosen.name or "",
            content=chosen.read(),
            again=request.POST.get("again") == "yes",
            totals=_control_totals(request),
        )
    except (Invalid, Conflict) as error:
        return _uploads_page(request, actor, error)
    start_upload(upload_id=upload_id)
    return redirect("upload", upload_id=upload_id)


@require_GET
@page
def upload(request: HttpRequest, actor: Principal, upload_id: UUID) -> HttpResponse:
    """One upload: counts, progress, rows."""
    shown = get_upload(actor=actor, upload_id=upload_id)
    after = int(request.GET["after"]) if request.GET.get("after", "").isdigit() else 0
    rows = list_rows(upload=shown, after=after)
    context = {"upload": shown, "rows": rows, "next_after": rows[-1].number if len(rows) == 200 else None}
    return render(request, "operations/upload.html", context)


@require_GET
@page
def upload_progress(request: HttpRequest, actor: Principal, upload_id: UUID) -> HttpResponse:
    """The moving part of the page."""
    shown = get_upload(actor=actor, upload_id=upload_id)
    return render(request, "operations/parts/upload_progress.html", {"upload": shown})


@require_POST
@page
def upload_stop(request: HttpRequest, actor: Principal, upload_id: UUID) -> HttpResponse:
    """Stop what has not been worked yet."""
    stop_upload(actor=actor, at=utc_now(), upload_id=upload_id)
    return redirect("upload", upload_id=upload_id)


@require_GET
@page
def upload_errors(request: HttpRequest, actor: Principal, upload_id: UUID) -> StreamingHttpResponse:
    """Rows that did not become orders, as CSV; corrected, the file can be uploaded again."""
    shown = get_upload(actor=actor, upload_id=upload_id)
    response = StreamingHttpResponse(_csv(error_lines(upload=shown)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="errors-{shown.id}.csv"'
    return response


def _csv(lines: Iterator[tuple[str, ...]]) -> Iterator[str]:
    for line in lines:
        buffer = io.StringIO()
        csv.writer(buffer).writerow(line)
        yield buffer.getvalue()


def _control_totals(request: HttpRequest) -> ControlTotals:
    typed = {name: request.POST.get(name, "") for name in ("control_rows", "control_qty", "control_sha256")}
    totals, faults = read_control_totals(
        rows=typed["control_rows"], order_qty=typed["control_qty"], sha256=typed["control_sha256"]
    )
    if faults:
        sentence = " ".join(text for texts in faults.values() for text in texts)
        raise Invalid("UPLOAD_CONTROL", sentence, faults)
    return totals


def _uploads_page(request: HttpRequest, actor: Principal, error: Invalid | Conflict | None = None) -> HttpResponse:
    context = {
        "uploads": list_uploads(actor=actor),
        "error": error,
        "seen_before": error is not None and error.code == "UPLOAD_SEEN_BEFORE",
        "may_enter": actor_may(actor, ENTER_ORDER),
        "required": REQUIRED,
        "optional": OPTIONAL,
        "max_rows": MAX_ROWS,
    }
    return render(request, "operations/uploads.html", context, status=error.http_status if error else 200)
