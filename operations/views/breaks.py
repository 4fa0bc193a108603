"""One break: its page under the name people call it by, and the same as a part beside the list of its run."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from operations.selectors.recon.break_page import get_break
from operations.views.break_repairs import break_context
from operations.views.edge import page


@require_GET
@page
def break_page(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """Why it is there, what it stops, both records, when it was seen; with ``part`` that alone."""
    item = get_break(actor=actor, ref=ref)
    context = break_context(actor, item, utc_now()) | {"beside": bool(request.GET.get("part"))}
    template = "operations/parts/break_detail.html" if context["beside"] else "operations/break.html"
    return render(request, template, context)
