"""Signing in and out."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from authorisation.forms import SignInForm
from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.services.check_sign_in import check_sign_in
from authorisation.signing_in import close_session, open_session, remember_browser
from kernel.clock import utc_now

WRONG = "Name or password is wrong, or there were too many tries. Wait a little and try again."


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page; goes on to ``next`` of this site, else to the desk. Every failure reads the same."""
    target = _target(request)
    if isinstance(request.user, User):
        return redirect(target)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = check_sign_in(
            request=request,
            username=form.cleaned_data["username"],
            password=form.cleaned_data["password"],
            at=utc_now(),
        )
        if user is not None:
            open_session(request, user, factor="password", at=utc_now())
            return remember_browser(request, redirect(target))
        form.add_error(None, WRONG)
    status = 422 if form.errors else 200
    return render(request, "sign_in.html", {"form": form, "next": target}, status=status)


def _target(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and go to the sign-in page."""
    actor = get_principal(request.user) if isinstance(request.user, User) else None
    close_session(request, actor, utc_now())
    response = redirect(settings.LOGOUT_REDIRECT_URL)
    response.headers["Clear-Site-Data"] = '"cache"'  # what an old page left behind; columns chosen in the grid stay
    return response
