"""The digest of decisions, for whoever searches the audit: on the page and as a file. That it was read is kept."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.exporting import Column, make_table
from operations.exporting.table import Cell
from operations.permissions import require_audit
from operations.selectors.approval_digest import get_digest
from operations.services.record_read import AUDIT_SEARCHED, record_read
from operations.views.edge import page
from operations.views.exports import handed_over, heading_for

LENGTHS = {"1": "1 day", "7": "7 days", "31": "31 days", "92": "92 days"}
COLUMNS = (
    Column("person", "Person"), Column("kind", "Kind"), Column("approved", "Approved"), Column("declined", "Declined"),
    Column("overrides", "Overrides"), Column("not_applied", "Approved, not applied"),
    Column("median_s", "Median seconds to decide"), Column("self_approvals", "Own requests refused"),
)  # fmt: skip


@require_GET
@page
def digest(request: HttpRequest, actor: Principal) -> HttpResponse:
    """``days`` back from now; with ``form`` the lines of people as a file."""
    require_audit(actor)
    days = request.GET.get("days", "7")
    if days not in LENGTHS:
        raise Invalid("PARAMETERS_INVALID", f"One of {', '.join(LENGTHS)} days.", {"days": ["Not offered."]})
    at = utc_now()
    found = get_digest(actor=actor, since=at - timedelta(days=int(days)), until=at)
    if request.GET.get("form"):
        tried = dict(found.self_approvals)
        rows: list[tuple[Cell, ...]] = [
            (one.person, one.kind, one.approved, one.declined, one.overrides, one.not_applied, one.median_s, None)
            for one in found.people
        ]
        rows += [(person, "all", None, None, None, None, None, count) for person, count in tried.items()]
        heading = heading_for(actor, "Decisions", {"last": LENGTHS[days]}, at)
        return handed_over(request, actor, make_table(heading, COLUMNS, rows))
    record_read(actor=actor, at=at, kind=AUDIT_SEARCHED, what={"what": "digest of decisions", "days": days})
    context = {"digest": found, "days": days, "lengths": LENGTHS, "at": at}
    return render(request, "operations/approvals_digest.html", context)
