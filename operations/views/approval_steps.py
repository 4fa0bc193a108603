"""Steps around a decision: claim and let go, ask the maker, answer, take back. Each answers with the item drawn anew."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from authorisation.domain.principal import Principal
from authorisation.services.claim_request import claim_request
from authorisation.services.release_claim import release_claim
from authorisation.services.resubmit_request import resubmit_request
from authorisation.services.send_back_request import send_back_request
from kernel.clock import utc_now
from operations.domain.shown import from_text
from operations.selectors.approvals import get_approval
from operations.selectors.review import review_approval
from operations.services.withdraw_approval import withdraw_approval
from operations.views.approvals import DETAIL, ITEM, context_of
from operations.views.edge import page


@require_POST
@page
def claim(request: HttpRequest, actor: Principal, approval_id: UUID) -> HttpResponse:
    """Look at it for the minutes of its policy, while nobody else decides; pressed again, the minutes begin anew."""
    at = utc_now()
    get_approval(actor=actor, approval_id=approval_id, at=at)
    claim_request(actor=actor, at=at, authorisation_id=approval_id)
    return _redrawn(request, actor, approval_id)


@require_POST
@page
def release(request: HttpRequest, actor: Principal, approval_id: UUID) -> HttpResponse:
    """Let somebody else decide it."""
    at = utc_now()
    get_approval(actor=actor, approval_id=approval_id, at=at)
    release_claim(actor=actor, at=at, authorisation_id=approval_id)
    return _redrawn(request, actor, approval_id)


@require_POST
@page
def send_back(request: HttpRequest, actor: Principal, approval_id: UUID) -> HttpResponse:
    """Ask the maker what stands in the note."""
    at = utc_now()
    get_approval(actor=actor, approval_id=approval_id, at=at)
    send_back_request(
        actor=actor,
        at=at,
        authorisation_id=approval_id,
        question=str(request.POST.get("reason", "")),
        payload_hash=str(request.POST.get("payload_hash", "")),
    )
    return _told(request, actor, approval_id, "Asked. It waits for its maker's answer.")


@require_POST
@page
def answer(request: HttpRequest, actor: Principal, approval_id: UUID) -> HttpResponse:
    """The maker answers: the next version waits, with what was asked and answered beside it."""
    at = utc_now()
    get_approval(actor=actor, approval_id=approval_id, at=at)
    resubmit_request(actor=actor, at=at, authorisation_id=approval_id, answer=str(request.POST.get("answer", "")))
    return _told(request, actor, approval_id, "Answered. The next version waits for a second person.")


@require_POST
@page
def withdraw(request: HttpRequest, actor: Principal, approval_id: UUID) -> HttpResponse:
    """The maker takes it back."""
    sentence = withdraw_approval(actor=actor, at=utc_now(), approval_id=approval_id)
    return _told(request, actor, approval_id, sentence)


def _redrawn(request: HttpRequest, actor: Principal, approval_id: UUID) -> HttpResponse:
    """The item against what was shown before: a claim changes nothing about what a decision is held to."""
    text = str(request.POST.get("shown", ""))
    review = review_approval(
        actor=actor, approval_id=approval_id, at=utc_now(), shown=from_text(text) if text else None
    )
    return render(request, DETAIL, context_of(actor, review))


def _told(request: HttpRequest, actor: Principal, approval_id: UUID, sentence: str) -> HttpResponse:
    review = review_approval(actor=actor, approval_id=approval_id, at=utc_now())
    return render(request, ITEM, context_of(actor, review) | {"told": sentence})
