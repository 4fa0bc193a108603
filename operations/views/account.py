"""One's own account: where one is signed in, and what happened at the door. Administrators may look at a person's."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.one_time import LASTS
from authorisation.domain.principal import Principal
from authorisation.selectors.sign_in import (
    list_collectable_resets,
    list_door_events,
    list_sessions,
    needs_first_link,
    require_visible_user,
)
from authorisation.services.collect_sign_in_link import collect_sign_in_link
from authorisation.services.end_sessions import end_sessions
from authorisation.services.issue_sign_in_link import issue_sign_in_link
from authorisation.services.request_sign_in_reset import request_sign_in_reset
from authorisation.signing_in import session_id_of
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.views.edge import page


@never_cache
@require_GET
@page
def sessions(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Live sessions, this one marked, and the last happenings at the door; ``user`` names another person."""
    person = require_visible_user(actor, request.GET.get("user", "")[:150])
    context = {
        "person": person,
        "is_own": person.pk == actor.user_id,
        "sessions": list_sessions(user_id=person.pk, at=utc_now()),
        "this_session": session_id_of(request),
        "events": list_door_events(user_id=person.pk),
        "resets": list_collectable_resets(actor=actor, user_id=person.pk),
        "needs_link": needs_first_link(person),
    }
    return render(request, "operations/account_sessions.html", context)


@require_POST
@page
def end(request: HttpRequest, actor: Principal) -> HttpResponse:
    """End one session, or all but this one."""
    person = require_visible_user(actor, request.POST.get("user", "")[:150])
    named = request.POST.get("session", "")
    end_sessions(
        actor=actor,
        at=utc_now(),
        user_id=person.pk,
        session_id=_id(named) if named else None,
        but=None if named else session_id_of(request),
    )
    own = person.pk == actor.user_id
    return redirect("/account/sessions" if own else f"/account/sessions?{urlencode({'user': person.username})}")


@require_POST
@page
def ask_reset(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask another administrator to let somebody begin anew."""
    username = request.POST.get("user", "")[:150]
    raised = request_sign_in_reset(
        actor=actor, at=utc_now(), username=username, reason=request.POST.get("reason", "")[:2000]
    )
    return redirect(f"/approvals?{urlencode({'view': 'raised', 'id': str(raised.id)})}")


@never_cache
@require_POST
@page
def make_link(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The one-time link, shown this once: of an approved reset, or for somebody who has nothing to come in with yet."""
    person = require_visible_user(actor, request.POST.get("user", "")[:150])
    reset = request.POST.get("reset", "")
    if reset:
        token = collect_sign_in_link(actor=actor, at=utc_now(), authorisation_id=_id(reset))
    else:
        token = issue_sign_in_link(actor=actor, at=utc_now(), user_id=person.pk)
    context = {"person": person, "link": request.build_absolute_uri(f"/sign-in/link/{token}"), "lasts": LASTS}
    return render(request, "operations/account_link.html", context)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as wrong:
        raise Invalid("ID_MALFORMED", "That is no id.") from wrong
