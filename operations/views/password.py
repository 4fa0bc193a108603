"""Changing one's password: by the old one, and a second factor of the last minutes for whoever has one."""

from __future__ import annotations

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from authorisation.domain.principal import Principal
from authorisation.password_rules import help_texts
from authorisation.selectors.sign_in import has_second_factor
from authorisation.services.change_password import change_password
from authorisation.services.check_sign_in import check_sign_in
from authorisation.signing_in import session_id_of
from authorisation.stepping_up import require_recent
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.views.edge import page, require_user

OLD_WRONG = "That is not your password, or there were too many tries. Wait a little and try again."


@sensitive_post_parameters("old", "new", "again")
@never_cache
@require_http_methods(["GET", "POST"])
@page
def password(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The form; every other session ends when it is done, and this one gets a new cookie."""
    user = require_user(request)
    if has_second_factor(user):
        require_recent(request, actor, at=utc_now())
    wrong: list[str] = []
    if request.method == "POST":
        old, new, again = (request.POST.get(name, "")[:300] for name in ("old", "new", "again"))
        if check_sign_in(request=request, username=user.username, password=old, at=utc_now()) != user:
            wrong = [OLD_WRONG]
        else:
            try:
                changed = change_password(actor=actor, at=utc_now(), new=new, again=again, but=session_id_of(request))
            except Invalid as refusal:
                wrong = refusal.fields["new"]
            else:
                update_session_auth_hash(request, changed)
                return redirect("account-sessions")
    context = {"wrong": wrong, "rules": help_texts()}
    return render(request, "operations/account_password.html", context, status=422 if wrong else 200)
