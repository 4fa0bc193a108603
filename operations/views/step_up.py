"""Confirming who one is before deciding, in the frame beside what is typed or as a page that goes on with it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from authorisation.domain.principal import Principal
from authorisation.stepping_up import step_up, ways_of
from kernel.clock import utc_now
from operations.navigation import home_of
from operations.views.edge import is_part, page, require_user

WRONG = "That was not right, was used before, or there were too many tries. Wait a little and try again."
MOST_KEPT = 200


@sensitive_post_parameters("code", "key_answer", "password")
@never_cache
@require_http_methods(["GET", "POST"])
@page
def confirm(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Asks, and takes the answer. ``kept`` are the fields of the form that was about to be sent to ``next``."""
    user = require_user(request)
    template = "operations/parts/step_up_form.html" if is_part(request) else "operations/step_up.html"
    target = _local(str(request.POST.get("next") or request.GET.get("next") or ""), actor)
    names, values = request.POST.getlist("kept_name"), request.POST.getlist("kept_value")
    kept = list(zip(names, values, strict=False))[:MOST_KEPT]
    if request.method == "GET":
        return render(request, template, {"next": target, "kept": [], **ways_of(request, user)})
    if not step_up(request, user, at=utc_now()):
        context = {"next": target, "kept": kept, "error": WRONG, **ways_of(request, user)}
        return render(request, template, context, status=422)
    if is_part(request):
        answer = render(request, "operations/parts/step_up_done.html", {})
        answer.headers["HX-Trigger"] = "oms:stepped-up"
        return answer
    if kept:
        return render(request, "operations/step_up_go_on.html", {"next": target, "kept": kept})
    return redirect(target)


def _local(wanted: str, actor: Principal) -> str:
    """An address of this site, else the person's first page."""
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/"):
        return wanted
    return home_of(actor)
