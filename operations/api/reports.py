"""The API of named reports: which there are, and the rows of one in pages or whole as CSV, as far as the caller may see."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authorisation.domain.scopes import RECONCILIATION_READ
from kernel.canonical import jsonable
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.api.reconciliation import RunApiView
from operations.api.reconciliation_documents import ReportAnswer, ReportsAnswer
from operations.exporting import Heading, export_table
from operations.selectors.recon.named_reports import Asked, asked_of, page_of, report_table
from operations.services.record_read import RECORDS_EXPORTED, record_read
from orders.api.reading import UNREADABLE
from reconciliation.reports import REPORTS, get_report
from reconciliation.reports.report import Report

AT_ONCE = 500
FORMS = ("json", "csv")


class ReportsView(RunApiView):
    """``/reports``: the named reports with their questions."""

    scopes = {"GET": RECONCILIATION_READ}

    @extend_schema(operation_id="reports_list", responses={200: ReportsAnswer})
    def get(self, request: Request) -> Response:
        self.principal()
        return Response({"reports": [_about(one) for one in REPORTS.values()]})


class ReportView(RunApiView):
    """``/reports/{name}``: its rows of a day, batch or outage, 500 at a time; whole as CSV, at most 50,000 rows."""

    scopes = {"GET": RECONCILIATION_READ}
    parameters = {"GET": ("date", "batch", "outage", "word", "offset", "form")}

    @extend_schema(
        operation_id="reports_get",
        parameters=[
            OpenApiParameter(
                "date", OpenApiTypes.DATE, description="The day it is about; else the batch's or outage's; else today"
            ),
            OpenApiParameter("batch", OpenApiTypes.UUID, description="Of a run, a file, or an upload of orders"),
            OpenApiParameter("outage", str, description="As the report of outages names it: SIM1-A:42"),
            OpenApiParameter("word", str, description="Only rows of this class"),
            OpenApiParameter(
                "offset", {"type": "integer", "minimum": 0, "maximum": 50000}, description="The next of the page before"
            ),
            OpenApiParameter("form", str, enum=FORMS, description="csv: a file of all rows"),
        ],
        responses={200: ReportAnswer},
    )
    def get(self, request: Request, name: str) -> Response | HttpResponse:
        actor, at, form = self.principal(), utc_now(), request.query_params.get("form", "json")
        if form not in FORMS:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, {"form": [f"One of {', '.join(FORMS)}."]})
        asked = asked_of(get_report(name), request.query_params.dict())
        if form == "csv":
            return self._file(asked)
        page = page_of(actor=actor, asked=asked, at=at, limit=AT_ONCE)
        names = [column.name for column in page.report.columns]
        return Response(
            {
                **_about(page.report),
                "date": page.scope.day.isoformat(),
                "as_of": at.isoformat(),
                "counts": dict(page.counts),
                "left_out": page.left_out,
                "rows": [dict(zip(names, map(jsonable, row), strict=True)) for row in page.rows],
                "next": page.offset + AT_ONCE if page.more else None,
            }
        )

    def _file(self, asked: Asked) -> HttpResponse:
        actor, at = self.principal(), utc_now()
        told = {**asked.filter, "date": str(asked.scope(at).day)}
        table = report_table(
            actor=actor, asked=asked, heading=Heading(asked.report.title, actor.username, at, filter=told)
        )
        made = export_table(table, "csv")
        what = {
            "what": asked.report.title,
            "filter": told,
            "form": "csv",
            "rows": made.rows,
            "rows_sha256": made.rows_sha256,
        }
        record_read(actor=actor, at=at, kind=RECORDS_EXPORTED, what={**what, "sha256": made.sha256})
        headers = {"X-Content-SHA256": made.sha256, "Cache-Control": "no-store"}
        headers["Content-Disposition"] = f'attachment; filename="{made.name}"'
        return HttpResponse(made.body, content_type=made.content_type, headers=headers)


def _about(report: Report) -> dict[str, Any]:
    return {
        "name": report.name,
        "title": report.title,
        "question": report.question,
        "by": list(report.by),
        "words": dict(report.words),
        "columns": [{"name": column.name, "title": column.title} for column in report.columns],
    }
