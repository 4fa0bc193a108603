"""The named reports: which there are with their questions, one of them with its rows, and the same as a file."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound
from operations.selectors.recon.named_reports import (
    SHOWN,
    Asked,
    asked_of,
    page_of,
    report_table,
    shown_columns,
    shown_rows,
)
from operations.views.edge import page
from operations.views.exports import handed_over, heading_for
from reconciliation.reports import REPORTS, get_report
from reconciliation.selectors.seeing import sees_totals


@require_GET
@page
def reports(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Every report by its question."""
    return render(request, "operations/recon_reports.html", {"reports": REPORTS.values()})


@require_GET
@page
def report(request: HttpRequest, actor: Principal, name: str) -> HttpResponse:
    """One report; what cannot be asked for is said above the form, as it was typed."""
    at, error, asked, found = utc_now(), None, Asked(get_report(name)), None
    try:
        asked = asked_of(asked.report, request.GET.dict())
        found = page_of(actor=actor, asked=asked, at=at)
    except (Invalid, NotFound) as problem:
        error = problem
        day, batch, outage = (request.GET.get(part, "")[:80] for part in ("date", "batch", "outage"))
        asked = Asked(asked.report, day, batch, outage)
    narrowed = {part: text for part, text in asked.filter.items() if text}
    context = {
        "reports": REPORTS.values(),
        "report": asked.report,
        "asked": asked,
        "narrowed": urlencode({part: text for part, text in narrowed.items() if part != "word"}),
        "export_url": f"/recon/reports/{name}/export?{urlencode(narrowed)}",
        "page": found,
        "rows": shown_rows(found) if found else [],
        "columns": shown_columns(asked.report),
        "next": f"?{urlencode({**narrowed, 'offset': asked.offset + SHOWN})}" if found and found.more else "",
        "first": f"?{urlencode(narrowed)}" if asked.offset else "",
        "hidden": asked.report.totals and not sees_totals(actor),
        "error": error,
        "at": at,
    }
    return render(request, "operations/recon_report.html", context, status=error.http_status if error else 200)


@require_GET
@page
def report_export(request: HttpRequest, actor: Principal, name: str) -> HttpResponse:
    """All of its rows in the form asked for."""
    asked, at = asked_of(get_report(name), request.GET.dict()), utc_now()
    told = {**asked.filter, "date": str(asked.scope(at).day)}
    heading = heading_for(actor, asked.report.title, told, at)
    return handed_over(request, actor, report_table(actor=actor, asked=asked, heading=heading))
