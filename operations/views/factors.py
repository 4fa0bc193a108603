"""One's own second factors: what there are, a new one, one taken away, new recovery codes. Each change is confirmed first."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from authorisation.domain.principal import Principal
from authorisation.enrolling import offer, take
from authorisation.selectors.sign_in import count_recovery_codes, has_second_factor, list_factors
from authorisation.services.make_recovery_codes import make_recovery_codes
from authorisation.services.remove_factor import remove_factor
from authorisation.session_store import ABOUT
from authorisation.stepping_up import require_recent
from kernel.clock import utc_now
from kernel.errors import Conflict, Refused
from operations.views.edge import page, require_user


@never_cache
@require_GET
@page
def factors(request: HttpRequest, actor: Principal) -> HttpResponse:
    """What the person has to sign in with besides the password."""
    context = {
        "factors": list_factors(user_id=actor.user_id),
        "codes_left": count_recovery_codes(user_id=actor.user_id),
    }
    return render(request, "operations/account_factors.html", context)


@sensitive_post_parameters("code", "key_answer")
@never_cache
@require_http_methods(["GET", "POST"])
@page
def new_factor(request: HttpRequest, actor: Principal) -> HttpResponse:
    """A picture for an app, a button for a key; the first one brings recovery codes, shown once."""
    at, user = utc_now(), require_user(request)
    require_recent(request, actor, at=at)
    error = ""
    if request.method == "POST":
        is_first = not has_second_factor(user)
        try:
            take(request, user, at=at)
        except (Refused, Conflict) as refusal:
            error = refusal.sentence
        else:
            request.session[ABOUT] = {**request.session.get(ABOUT, {}), "has_factor": True}
            request.session.cycle_key()
            if is_first:
                return _codes(request)
            return redirect("account-factors")
    context = {"error": error, "person": user, **offer(request, user)}
    return render(request, "operations/account_factor_new.html", context, status=422 if error else 200)


@require_POST
@page
def remove(request: HttpRequest, actor: Principal, factor_id: UUID) -> HttpResponse:
    """Take one away."""
    require_recent(request, actor, at=utc_now())
    remove_factor(actor=actor, at=utc_now(), factor_id=factor_id)
    if not has_second_factor(require_user(request)):
        request.session[ABOUT] = {**request.session.get(ABOUT, {}), "has_factor": False}
    request.session.cycle_key()
    return redirect("account-factors")


@never_cache
@require_POST
@page
def new_codes(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ten new recovery codes; the old ones stop working."""
    require_recent(request, actor, at=utc_now())
    if not has_second_factor(require_user(request)):
        raise Refused("FACTOR_MISSING", "Recovery codes stand in for a second factor; add one first.")
    return _codes(request)


def _codes(request: HttpRequest) -> HttpResponse:
    context = {"codes": make_recovery_codes(user=require_user(request), at=utc_now())}
    return render(request, "operations/account_codes.html", context)
