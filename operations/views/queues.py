"""Search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_GET

from authorisation.domain.principal import Principal
from operations.selectors.queues import find_orders
from operations.selectors.recon.break_page import find_break
from operations.views.edge import page


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
