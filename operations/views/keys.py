"""Keys of the API: which live, the forms that ask a second administrator for another, and the end of one, at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.api_keys import DEFAULT_BURST, DEFAULT_OVERLAP, DEFAULT_RATE, MAX_OVERLAP, KeyTerms, key_terms
from authorisation.domain.principal import ADMINISTER_USERS, Principal
from authorisation.domain.scopes import SCOPES
from authorisation.services.request_api_key import KeyAsked, request_api_key, request_key_rotation
from authorisation.services.revoke_api_key import revoke_api_key
from authorisation.services.show_secret import show_secret
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.selectors.keys import list_key_lines, list_service_accounts
from operations.views.edge import actor_may, is_part, page

NO_RIGHT = "Only who administers people may ask for keys."


@require_GET
@page
def keys(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The page; with ``ended`` also keys that are over."""
    return render(request, "operations/keys.html", _context(request, actor))


@require_POST
@page
def ask(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask a second administrator for a new key."""
    terms, user_id = read_terms(request.POST)
    reason = request.POST.get("reason", "")
    return _asked(
        request, actor, request_api_key(actor=actor, at=utc_now(), user_id=user_id, terms=terms, reason=reason)
    )


@require_POST
@page
def rotate(request: HttpRequest, actor: Principal, key_id: UUID) -> HttpResponse:
    """Ask a second administrator for a key that takes over from this one."""
    days = request.POST.get("days", "").strip()
    if not (days.isascii() and days.isdecimal() and len(days) <= 3):
        sentence = f"Both live for 0 to {MAX_OVERLAP.days} days."
        raise Invalid("OVERLAP_INVALID", sentence, {"days": [sentence]})
    asked = request_key_rotation(
        actor=actor,
        at=utc_now(),
        key_id=key_id,
        reason=request.POST.get("reason", ""),
        overlap=timedelta(days=int(days)),
    )
    return _asked(request, actor, asked)


@require_POST
@page
def revoke(request: HttpRequest, actor: Principal, key_id: UUID) -> HttpResponse:
    """End a key now: it is refused from its next request on."""
    revoke_api_key(actor=actor, at=utc_now(), key_id=key_id)
    return _page_again(request, actor)


@require_POST
@never_cache
@page
def secret(request: HttpRequest, actor: Principal, key_id: UUID) -> HttpResponse:
    """The secret of a key that was asked for by this person, this once."""
    shown = show_secret(actor=actor, at=utc_now(), key_id=key_id)
    context = _context(request, actor) | {"shown": shown}
    return render(request, "operations/parts/key_state.html" if is_part(request) else "operations/keys.html", context)


def read_terms(data: QueryDict) -> tuple[KeyTerms, int]:
    """What a key shall be, as typed; raises Invalid KEY_INVALID with a sentence a field."""
    faults: dict[str, list[str]] = {}
    numbers: dict[str, int] = {}
    for name in ("user", "rate", "burst"):
        text = str(data.get(name, "")).replace(",", "").strip()
        if text.isascii() and text.isdecimal() and len(text) <= 9:
            numbers[name] = int(text)
        else:
            faults[name] = ["Choose an account." if name == "user" else "A whole number."]
    if faults:
        raise Invalid("KEY_INVALID", "The key cannot be asked for so.", faults)
    terms = key_terms(
        name=str(data.get("name", "")),
        scopes=data.getlist("scopes"),
        addresses=[part for part in str(data.get("addresses", "")).replace(",", " ").split() if part],
        rate=numbers["rate"],
        burst=numbers["burst"],
    )
    return terms, numbers["user"]


def _asked(request: HttpRequest, actor: Principal, asked: KeyAsked) -> HttpResponse:
    if is_part(request):
        return render(request, "operations/parts/key_state.html", _context(request, actor) | {"asked": asked})
    return redirect("keys")


def _page_again(request: HttpRequest, actor: Principal) -> HttpResponse:
    if is_part(request):
        return render(request, "operations/parts/key_state.html", _context(request, actor))
    return redirect("keys")


def _context(request: HttpRequest, actor: Principal) -> dict[str, Any]:
    ended = request.GET.get("ended") == "1"
    return {
        "lines": list_key_lines(actor, at=utc_now(), ended=ended),
        "ended": ended,
        "services": list_service_accounts(),
        "scopes": SCOPES,
        "rate": DEFAULT_RATE,
        "burst": DEFAULT_BURST,
        "overlap_days": DEFAULT_OVERLAP.days,
        "why_not": "" if actor_may(actor, ADMINISTER_USERS) else NO_RIGHT,
    }
