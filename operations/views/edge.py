"""The edge of every page: who asks, in which zone, and how an error is shown. The only reader of the clock up here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from authorisation import security_log
from authorisation.domain.principal import Principal
from authorisation.domain.stepping_up import STEP_UP_NEEDED
from authorisation.middleware import is_part as is_part
from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.sources import source_of
from authorisation.stepping_up import must_confirm, ways_of
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound, NotPermitted, OmsError
from operations.navigation import require_page

CSRF_FIELD = "csrfmiddlewaretoken"
View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """Give the view its signed-in ``Principal`` as second argument, the user's zone, and answers to our own errors.

    Signed out: pages lead to the sign-in page and back; pieces answer 401, so that nothing typed is lost. A page that
    the table of pages does not answer for this person is refused before the view runs.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not isinstance(user, User):
            return HttpResponse(status=401) if is_part(request) else redirect_to_login(request.get_full_path())
        with timezone.override(ZoneInfo(user.time_zone)):
            try:
                refuse_nul(request)
                actor = get_principal(user, must_confirm=must_confirm(request, at=utc_now()))
                vars(request)["principal"] = actor  # for the frame, which shows this person's pages
                require_page(actor, request.path)
                return view(request, actor, *args, **kwargs)
            except OmsError as error:
                _log_refusal(request, user, error)
                return error_answer(request, error)

    return answer


def _log_refusal(request: HttpRequest, user: User, error: OmsError) -> None:
    """Who was kept from what, and who asked for what is not there for them: one looks like the other on purpose."""
    if isinstance(error, NotPermitted | NotFound):
        told = {"method": request.method, "path": request.path, "refusal_code": error.code}
        level = logging.WARNING if isinstance(error, NotPermitted) else logging.INFO
        security_log.write("ACCESS_REFUSED", user=user.actor, source=source_of(request), level=level, **told)


def refuse_nul(request: HttpRequest) -> None:
    """Raise Invalid for a NUL character in the address or the form: no text of the database can hold one."""
    values = [request.path, *request.GET.values(), *request.POST.values()]
    if any("\x00" in str(value) for value in values):
        raise Invalid("PARAMETERS_INVALID", "Some query parameters are unknown or malformed.")


def error_answer(request: HttpRequest, error: OmsError) -> HttpResponse:
    """The error in place: into the form that asked, or as a page."""
    context = {"error": error, "fields": error.fields if isinstance(error, Invalid) else {}}
    if error.code == STEP_UP_NEEDED and not is_part(request):
        return ask_to_confirm(request)
    if not is_part(request):
        return render(request, "operations/error.html", context, status=error.http_status)
    response = render(request, "operations/parts/form_error.html", context, status=error.http_status)
    if request.method == "POST":
        response.headers["HX-Retarget"] = "#form-error"
        response.headers["HX-Reswap"] = "innerHTML"
    if error.code == STEP_UP_NEEDED:
        response.headers["HX-Trigger"] = "oms:step-up"  # the frame asks, beside what is typed
    return response


def led_to(request: HttpRequest, name: str, **where: Any) -> HttpResponse:
    """After an act: to a page by its name, whether the form was sent whole or as a part (which only its errors stay in)."""
    address: str = reverse(name, kwargs=where)
    return HttpResponse(status=204, headers={"HX-Redirect": address}) if is_part(request) else redirect(address)


def ask_to_confirm(request: HttpRequest) -> HttpResponse:
    """The page that asks for the second factor, and goes on with what was about to be sent."""
    kept = [(name, value) for name, values in request.POST.lists() for value in values if name != CSRF_FIELD]
    context = {
        "next": request.get_full_path() if request.method == "GET" else request.path,
        "kept": kept if request.method == "POST" else [],
        **ways_of(request, require_user(request)),
    }
    return render(request, "operations/step_up.html", context, status=403)


def require_user(request: HttpRequest) -> User:
    """The person signed in; ``page`` made sure that there is one."""
    assert isinstance(request.user, User)
    return request.user


def actor_may(actor: Principal, right: str) -> bool:
    """Whether the role has a right: for showing a control with its reason, never instead of the service's own guard."""
    return right in actor.rights
