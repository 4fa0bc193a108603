"""Market claims on the settlement page: what the other side says at once, the end of one by a second person."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from allocations.permissions import require_work
from allocations.services.act_on_claim import act_on_claim
from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import OmsError
from operations.views.edge import page
from operations.views.settlement import settlement_page


@require_POST
@page
def act(request: HttpRequest, actor: Principal, ref: str) -> HttpResponse:
    """One step; what waits for a second person is shown there, what speaks against it above the page."""
    require_work(actor)
    typed = {name: str(value).strip() for name, value in request.POST.items()}
    try:
        done = act_on_claim(
            actor=actor, at=utc_now(), idempotency_key=typed.get("key", "")[:64], route="settlement.claim", ref=ref,
            said={name: typed.get(name, "") for name in ("step", "paid_on", "reference")}, reason=typed.get("reason", ""),
        )  # fmt: skip
    except OmsError as error:
        return settlement_page(request, actor, error=error, typed={"claim": ref} | typed)
    if done.authorisation_id:
        return redirect(f"/approvals?view=all&id={done.authorisation_id}")
    return redirect(f"/settlement?{urlencode({'said': done.sentence})}#h-claims")
