"""Webhooks: who gets events of the house, how they do, what was tried, and the doors to work them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from authorisation.models import Desk
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.selectors.webhooks import list_webhooks, read_draft, read_event_ids, webhook_line
from operations.views.edge import is_part, page
from outbound.domain.contracts import CONTRACTS
from outbound.models import DeliveryAttempt
from outbound.permissions import ADMINISTERS, WORKS, may, require_viewer
from outbound.selectors.subscriptions import (
    MOST_SHOWN,
    AttemptFilter,
    get_subscription,
    list_attempts,
    list_dead,
    service_accounts,
)
from outbound.services.drop_dead_letters import drop_dead_letters
from outbound.services.end_webhook import end_webhook
from outbound.services.end_webhook_secret import end_webhook_secret
from outbound.services.issue_webhook_secret import IssuedSecret, issue_webhook_secret
from outbound.services.pause_webhook import pause_webhook
from outbound.services.replay_events import Wanted, replay_events
from outbound.services.request_webhook import WebhookAsked, request_webhook
from outbound.services.resume_webhook import resume_webhook

NOT_ADMINISTRATOR = "Only an administrator asks for subscriptions and handles their secrets."
NOT_OPERATOR = "Your role looks on; operations and administrators work deliveries."


@require_GET
@page
def webhooks(request: HttpRequest, actor: Principal) -> HttpResponse:
    """All subscriptions and the form for another; with ``part`` the list alone."""
    require_viewer(actor)
    template = "operations/parts/webhook_list.html" if request.GET.get("part") else "operations/webhooks.html"
    return render(request, template, {"lines": list_webhooks(at=utc_now())} | _form(actor))


@require_POST
@page
def ask(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask a second person to let events out to an address."""
    draft = read_draft(request.POST.dict(), request.POST.getlist("kinds"), request.POST.getlist("desks"))
    asked = request_webhook(actor=actor, at=utc_now(), draft=draft, reason=request.POST.get("reason", ""))
    if is_part(request):
        return render(request, "operations/parts/webhook_form.html", _form(actor, asked))
    return redirect("webhooks")


@require_GET
@page
def webhook(request: HttpRequest, actor: Principal, subscription_id: UUID) -> HttpResponse:
    """One subscription with its secrets, what it was given up of, and its tries; with ``part`` what moves."""
    require_viewer(actor)
    template = "operations/parts/webhook_state.html" if request.GET.get("part") else "operations/webhook.html"
    return render(request, template, _one(request, actor, subscription_id))


@require_POST
@page
def secret(request: HttpRequest, actor: Principal, subscription_id: UUID) -> HttpResponse:
    """Another secret, shown on this answer and never again."""
    issued = issue_webhook_secret(actor=actor, at=utc_now(), subscription_id=subscription_id)
    return render(request, "operations/webhook.html", _one(request, actor, subscription_id, issued))


@require_POST
@page
def act(request: HttpRequest, actor: Principal, subscription_id: UUID, what: str) -> HttpResponse:
    """Pause, resume, end, end a secret, send again, let go: then the page."""
    if what not in _ACTS:
        raise Http404
    _ACTS[what](request, actor=actor, at=utc_now(), subscription_id=subscription_id)
    return redirect("webhook", subscription_id=subscription_id)


def _with_reason(service: Callable[..., object]) -> Callable[..., object]:
    """A service that needs nothing but why."""

    def call(request: HttpRequest, **given: Any) -> object:
        return service(**given, reason=request.POST.get("reason", ""))

    return call


def _end_secret(request: HttpRequest, **given: Any) -> None:
    keys = read_event_ids(request.POST.get("key", ""))
    if len(keys) != 1:
        raise Invalid("SECRET_MISSING", "Which secret?", {"key": ["Choose one."]})
    end_webhook_secret(**given, key=keys[0])


def _replay(request: HttpRequest, **given: Any) -> None:
    """Given up ones, or ids, or everything since the event with an id."""
    data = request.POST
    if data.get("which") == "dead":
        wanted = Wanted(dead=True)
    elif data.get("which") == "range":
        wanted = Wanted(after=_whole(data.get("after", ""), "after"), up_to=_whole(data.get("up_to", ""), "up_to"))
    else:
        wanted = Wanted(event_ids=read_event_ids(data.get("events", "")))
    replay_events(**given, wanted=wanted)


def _whole(text: str, name: str) -> int | None:
    digits = text.replace(",", "").strip()
    if not digits and name == "up_to":
        return None
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):
        raise Invalid("REPLAY_INVALID", "A range is two positions of the journal.", {name: ["A whole number."]})
    return int(digits)


_ACTS: dict[str, Callable[..., object]] = {
    "pause": _with_reason(pause_webhook),
    "resume": _with_reason(resume_webhook),
    "end": _with_reason(end_webhook),
    "end-secret": _end_secret,
    "replay": _replay,
    "drop": _with_reason(drop_dead_letters),
}


def _one(
    request: HttpRequest, actor: Principal, subscription_id: UUID, issued: IssuedSecret | None = None
) -> dict[str, Any]:
    found = get_subscription(subscription_id)
    wanted = AttemptFilter(
        outcome=request.GET.get("outcome", ""),
        kind=request.GET.get("kind", ""),
        about=request.GET.get("about", "").strip(),
    )
    before = request.GET.get("before", "")
    tries = list_attempts(found.pk, wanted, before=_whole(before, "before") if before else None)
    return {
        "line": webhook_line(found, desks=dict(Desk.objects.values_list("id", "code")), at=utc_now()),
        "secrets": list(found.secrets.order_by("-made_at", "id")),
        "dead": list_dead(found.pk),
        "tries": tries,
        "older": tries[-1].pk if len(tries) == MOST_SHOWN else None,
        "filter": wanted,
        "outcomes": DeliveryAttempt.Outcome.choices,
        "kinds": [contract.kind for contract in CONTRACTS],
        "issued": issued,
        "may_work": may(actor, WORKS),
        "may_administer": may(actor, ADMINISTERS),
        "why_not": NOT_OPERATOR,
    }


def _form(actor: Principal, asked: WebhookAsked | None = None) -> dict[str, Any]:
    return {
        "accounts": service_accounts(),
        "desks": list(Desk.objects.order_by("code")),
        "contracts": CONTRACTS,
        "asked": asked,
        "why_not": "" if may(actor, ADMINISTERS) else NOT_ADMINISTRATOR,
    }
