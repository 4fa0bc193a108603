"""The blotter page and the snapshot behind its grid."""

from __future__ import annotations

import gzip

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from authorisation.domain.principal import ENTER_ORDER, Principal
from kernel.clock import utc_now
from operations.domain.rows import COLUMNS
from operations.selectors.desk import list_desk_rows
from operations.views.edge import actor_may, page


@require_GET
@page
def desk(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page; its rows come by :func:`desk_rows` and the stream."""
    return render(
        request,
        "operations/desk.html",
        {
            "may_enter": actor_may(actor, ENTER_ORDER),
            "default_view": "mine" if actor_may(actor, ENTER_ORDER) else "all",
        },
    )


@require_GET
@page
def desk_rows(request: HttpRequest, actor: Principal) -> HttpResponse:
    """``{"position", "columns", "rows"}``: every row the actor may see, at most 10,000."""
    position, rows = list_desk_rows(actor=actor, at=utc_now())
    body = orjson.dumps({"position": position, "columns": COLUMNS, "rows": rows})
    response = HttpResponse(body, content_type="application/json")
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response.content = gzip.compress(body, compresslevel=1)
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    return response
