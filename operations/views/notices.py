"""Notices: the drawer in the frame and its page, marking them seen, and what a person wants to be told."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.domain.exception_kinds import KINDS
from operations.domain.exception_rank import SEVERITIES
from operations.selectors.notices import count_alone, get_choice, list_notices
from operations.services.save_notice_choice import save_notice_choice
from operations.services.see_notices import see_notices
from operations.views.edge import is_part, page


@require_GET
@page
def notices(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The last fifty; with ``part`` for the drawer."""
    context = {
        "notices": list_notices(actor),
        "alone": count_alone(actor),
        "drawn_at": utc_now().isoformat(),
        "choice": get_choice(actor),
        "severities": SEVERITIES,
        "kinds": KINDS,
    }
    return render(
        request, "operations/parts/notice_list.html" if request.GET.get("part") else "operations/notices.html", context
    )


@require_POST
@page
def seen(request: HttpRequest, actor: Principal) -> HttpResponse:
    """What was on the page when it was drawn."""
    try:
        drawn_at = datetime.fromisoformat(str(request.POST.get("drawn_at", "")))
    except ValueError as error:
        raise Invalid("FORM_INVALID", "Say when the page was drawn.") from error
    if drawn_at.tzinfo is None:
        raise Invalid("FORM_INVALID", "Say when the page was drawn, with its zone.")
    see_notices(actor=actor, at=utc_now(), drawn_at=drawn_at)
    if not is_part(request):
        return redirect("/notices")
    context = {"notices": list_notices(actor), "alone": count_alone(actor), "drawn_at": utc_now().isoformat()}
    return render(request, "operations/parts/notice_list.html", context)


@require_POST
@page
def choice(request: HttpRequest, actor: Principal) -> HttpResponse:
    """What the person wants to be told."""
    save_notice_choice(
        actor=actor,
        least=str(request.POST.get("least", "")),
        muted=request.POST.getlist("muted"),
        mail=request.POST.get("mail") == "yes",
    )
    return redirect("/notices")
