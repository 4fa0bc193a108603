"""Signing in, with a second factor where there is one or must be, and out."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from authorisation.enrolling import offer, take
from authorisation.forms import SignInForm
from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.selectors.sign_in import has_second_factor
from authorisation.services.check_sign_in import check_sign_in
from authorisation.services.make_recovery_codes import make_recovery_codes
from authorisation.signing_in import (
    PASSWORD,
    close_session,
    held_target,
    held_user,
    hold,
    open_session,
    remember_browser,
)
from authorisation.stepping_up import prove, ways_of
from kernel.clock import utc_now
from kernel.errors import Conflict, Refused

WRONG_FACTOR = "That was not right, was used before, or there were too many tries. Wait a little and try again."
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
            return after_password(request, user, target)
        form.add_error(None, WRONG)
    status = 422 if form.errors else 200
    return render(request, "sign_in.html", {"form": form, "next": target}, status=status)


def after_password(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """On to the second factor, to getting one where everybody needs one, or in."""
    has_factor = has_second_factor(user)
    if not has_factor and not settings.SECOND_FACTOR_REQUIRED:
        open_session(request, user, factor=PASSWORD, at=utc_now())
        return remember_browser(request, redirect(target))
    hold(request, user, at=utc_now(), target=target)
    return redirect("sign-in-second" if has_factor else "sign-in-enrol")


@sensitive_post_parameters("code", "key_answer")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Between password and session. Every failure reads the same."""
    at = utc_now()
    user = held_user(request, at=at)
    if user is None:
        return redirect(settings.LOGIN_URL)
    if not has_second_factor(user):
        return redirect("sign-in-enrol")
    wrong = False
    if request.method == "POST":
        factor = prove(request, user, at=at)
        if factor:
            target = held_target(request)
            open_session(request, user, factor=factor, at=at)
            return remember_browser(request, redirect(target))
        wrong = True
    context = {"error": WRONG_FACTOR if wrong else "", **ways_of(request, user)}
    return render(request, "sign_in_second.html", context, status=422 if wrong else 200)


@sensitive_post_parameters("code", "key_answer")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Getting the first second factor, where everybody needs one: then in, with recovery codes shown once."""
    at = utc_now()
    user = held_user(request, at=at)
    if user is None:
        return redirect(settings.LOGIN_URL)
    if has_second_factor(user):
        return redirect("sign-in-second")
    error = ""
    if request.method == "POST":
        try:
            factor = take(request, user, at=at)
        except (Refused, Conflict) as refusal:
            error = refusal.sentence
        else:
            target = held_target(request)
            open_session(request, user, factor=factor, at=at)
            shown = {"codes": make_recovery_codes(user=user, at=at), "next": target}
            return remember_browser(request, render(request, "sign_in_codes.html", shown))
    context = {"error": error, "person": user, **offer(request, user)}
    return render(request, "sign_in_enrol.html", context, status=422 if error else 200)


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
