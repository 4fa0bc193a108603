"""Exceptions and search."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from operations.selectors.queues import find_orders, get_exception, list_exceptions
from operations.selectors.recon.break_page import find_break
from operations.views.edge import page
from operations.views.suspense import suspense_of

EXCEPTION_VIEWS = {"open": "Open", "closed": "Closed"}


@require_GET
@page
def exceptions(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The list, worst first; with ``part`` the list alone."""
    view = request.GET.get("view", "open")
    view = view if view in EXCEPTION_VIEWS else "open"
    context = {
        "items": list_exceptions(actor=actor, view=view),
        "view": view,
        "views": EXCEPTION_VIEWS,
        "at": utc_now(),
    }
    template = "operations/parts/exception_list.html" if request.GET.get("part") else "operations/exceptions.html"
    return render(request, template, context)


@require_GET
@page
def exception_detail(request: HttpRequest, actor: Principal, item_id: UUID) -> HttpResponse:
    """What is wrong, what we believe, and the evidence."""
    item = get_exception(actor=actor, item_id=item_id)
    context = {"item": item, "at": utc_now(), "part": request.GET.get("part"), **suspense_of(item, actor)}
    template = "operations/parts/exception_detail.html" if context["part"] else "operations/exception.html"
    return render(request, template, context)


@require_GET
@page
def search(request: HttpRequest, actor: Principal) -> HttpResponse:
    """One box for every identifier; a single exact hit is the answer itself."""
    query = request.GET.get("q", "").strip()[:4000]
    named = find_break(actor=actor, text=query)
    if named is not None:
        return HttpResponseRedirect(f"/b/{named.ref}")
    orders, exact = find_orders(actor=actor, query=query) if query else ([], False)
    if exact and len(orders) == 1:
        return HttpResponseRedirect(f"/o/{orders[0].ref}")
    context = {"query": query, "orders": orders, "exact": exact}
    return render(request, "operations/search.html", context)
