"""Exports of the lists: the page's own filter, in the form asked for, recorded before anything leaves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from operations.domain.desk_views import VIEW_TITLES
from operations.exporting import Heading, Table, export_table
from operations.selectors.exceptions import VIEWS as EXCEPTION_VIEWS
from operations.selectors.exported import accounts_table, approvals_table, desk_table, exceptions_table
from operations.services.record_read import RECORDS_EXPORTED, record_read
from operations.views.approvals import VIEWS as APPROVAL_VIEWS
from operations.views.edge import page

COLUMN_FILTER = "f."


@require_GET
@page
def desk_export(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The blotter: ``view`` and the header filters as ``f.<column>``."""
    view = request.GET.get("view", "all")
    filters = {
        name.removeprefix(COLUMN_FILTER): text.strip()[:80]
        for name, text in request.GET.items()
        if name.startswith(COLUMN_FILTER) and isinstance(text, str) and text.strip()
    }
    heading = heading_for(actor, "Orders", {"view": VIEW_TITLES.get(view, view), **filters})
    return handed_over(request, actor, desk_table(actor=actor, heading=heading, view=view, filters=filters))


@require_GET
@page
def exceptions_export(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The exceptions of a view."""
    view = _view(request, EXCEPTION_VIEWS, "all")
    heading = heading_for(actor, "Exceptions", {"view": EXCEPTION_VIEWS[view]})
    return handed_over(request, actor, exceptions_table(actor=actor, heading=heading, view=view))


@require_GET
@page
def approvals_export(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The requests of a view."""
    view = _view(request, APPROVAL_VIEWS, "mine")
    heading = heading_for(actor, "Approvals", {"view": APPROVAL_VIEWS[view]})
    return handed_over(request, actor, approvals_table(actor=actor, heading=heading, view=view))


@require_GET
@page
def accounts_export(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Cash and stock of the accounts a filter leaves."""
    query, symbol = request.GET.get("q", "").strip()[:40], request.GET.get("symbol", "").strip()[:24]
    heading = heading_for(actor, "Positions and cash", {"account": query, "instrument": symbol})
    return handed_over(request, actor, accounts_table(actor=actor, heading=heading, query=query, symbol=symbol))


def _view(request: HttpRequest, views: Mapping[str, str], default: str) -> str:
    view = request.GET.get("view", default)
    return view if view in views else default


def heading_for(actor: Principal, title: str, filters: Mapping[str, str], at: datetime | None = None) -> Heading:
    """Who takes it, now, in the reader's zone."""
    return Heading(title, actor.username, at or utc_now(), timezone.get_current_timezone_name(), filters)


def handed_over(request: HttpRequest, actor: Principal, table: Table) -> HttpResponse:
    """The file in the form asked for (``form``, CSV when absent), once it is on record that it was taken."""
    form = request.GET.get("form", "csv")
    made = export_table(table, form)
    record_read(
        actor=actor, at=table.heading.at, kind=RECORDS_EXPORTED,
        what={
            "what": table.heading.title, "filter": dict(table.heading.filter), "form": form, "rows": made.rows,
            "rows_sha256": made.rows_sha256, "sha256": made.sha256,
        },
    )  # fmt: skip
    return file_answer(made.name, made.content_type, made.body, made.sha256)


def file_answer(name: str, content_type: str, body: bytes, sha256: str) -> HttpResponse:
    """A download with its digest beside it; kept in no cache."""
    response = HttpResponse(body, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-SHA256"] = sha256
    return response
