"""What the frame fetches, preferences, sessions, and whether this process is well."""

from __future__ import annotations

from zoneinfo import available_timezones

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from redis.exceptions import RedisError

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import NotFound
from operations.navigation import home_of
from operations.selectors.frame import get_frame_status
from operations.services.pause_flow import is_paused, pause_flow, resume_flow
from operations.services.save_preferences import DENSITIES, THEMES, save_preferences
from operations.views.edge import is_part, page


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok", content_type="text/plain")


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether pages can be served: the database answers. Redis is told, not needed."""
    ready = live = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        ready = False
    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5).ping()
    except (RedisError, OSError):
        live = False
    return JsonResponse({"ready": ready, "database": ready, "live_feed": live}, status=200 if ready else 503)


@require_GET
@page
def home(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Lead to the first page that answers for the person."""
    return redirect(home_of(actor))


@require_GET
@page
def frame_status(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Counts beside the page names and the banners under the header."""
    at = utc_now()
    return render(request, "operations/parts/frame_status.html", {"status": get_frame_status(actor=actor, at=at)})


@require_http_methods(["GET", "POST"])
@page
def preferences(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Theme, density and zone of the person; side colours and letter keys are cookies of the browser, set by its script."""
    if request.method == "POST":
        save_preferences(
            actor=actor,
            theme=request.POST.get("theme", ""),
            density=request.POST.get("density", ""),
            time_zone=request.POST.get("time_zone", ""),
        )
        return redirect("/preferences")
    zones = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
    return render(request, "operations/preferences.html", {"themes": THEMES, "densities": DENSITIES, "zones": zones})


@require_POST
@page
def flow(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Pause or resume the demo flow; it exists in demo and test houses only."""
    if settings.MODE == "live":
        raise NotFound("NO_FLOW", "There is no demo flow in a live house.")
    if is_paused():
        resume_flow()
    else:
        pause_flow()
    if not is_part(request):
        return redirect("/venues")
    return render(request, "operations/parts/flow.html", {"flow_paused": is_paused()})
