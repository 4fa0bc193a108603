"""The page behind a one-time link: a first or a new password, then on to the second factor or in.

The token leaves the address at once, so that neither history nor a log of the next page keeps it.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from authorisation.password_rules import help_texts
from authorisation.sealing import seal, unseal
from authorisation.selectors.sign_in import find_link_user
from authorisation.services.use_sign_in_link import NO_LINK, use_sign_in_link
from authorisation.views.sign_in import after_password
from kernel.clock import utc_now
from kernel.errors import Invalid, InvariantBroken, NotFound

KEPT, ABOUT = "oms_link", "sign_in_link"


@never_cache
@require_GET
@sensitive_variables("token")
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address."""
    if find_link_user(token=token, at=utc_now()) is None:
        return _no_link(request)
    request.session.flush()
    request.session[KEPT] = seal(token.encode(), about=ABOUT)
    return redirect("sign-in-link")


@sensitive_post_parameters("new", "again")
@never_cache
@require_http_methods(["GET", "POST"])
@sensitive_variables("token")
def use_link(request: HttpRequest) -> HttpResponse:
    """Set the password."""
    token = _token(request)
    person = find_link_user(token=token, at=utc_now()) if token else None
    if person is None:
        return _no_link(request)
    wrong: list[str] = []
    if request.method == "POST":
        new, again = request.POST.get("new", "")[:300], request.POST.get("again", "")[:300]
        try:
            user = use_sign_in_link(token=token, at=utc_now(), new=new, again=again)
        except Invalid as refusal:
            wrong = refusal.fields["new"]
        except NotFound:
            return _no_link(request)
        else:
            return after_password(request, user, "/")
    context = {"person": person, "wrong": wrong, "rules": help_texts()}
    return render(request, "sign_in_link.html", context, status=422 if wrong else 200)


def _token(request: HttpRequest) -> str:
    kept = request.session.get(KEPT)
    try:
        return unseal(kept, about=ABOUT).decode() if kept else ""
    except InvariantBroken:  # under a key that is gone
        return ""


def _no_link(request: HttpRequest) -> HttpResponse:
    return render(request, "sign_in_link.html", {"person": None, "no_link": NO_LINK}, status=404)
