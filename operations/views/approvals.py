"""The approvals page: what waits beside one item with its effect, and the decision that is held to what was shown."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.four_eyes import DECLINE
from authorisation.domain.principal import Principal
from authorisation.selectors.said import list_said, list_versions
from authorisation.services.decide_request import Decided
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotFound
from operations.domain.shown import from_text, to_text
from operations.forms import DECLINE_REASONS, read_choice
from operations.permissions import SEARCH_AUDIT
from operations.selectors.approvals import list_approvals, list_similar
from operations.selectors.review import Review, review_approval
from operations.services.decide_approval import decide_approval
from operations.services.withdraw_approval import WITHDRAWABLE
from operations.views.edge import page
from operations.views.ticket import sort_checks

VIEWS = {"mine": "Mine to decide", "raised": "Raised by me", "all": "All waiting", "decided": "Decided"}
ITEM, DETAIL = "operations/parts/approval_item.html", "operations/parts/approval_detail.html"


@require_GET
@page
def approvals(request: HttpRequest, actor: Principal) -> HttpResponse:
    """List and the chosen item beside it; with ``part`` the list alone."""
    view = request.GET.get("view", "mine")
    view = view if view in VIEWS else "mine"
    at = utc_now()
    items = list_approvals(actor=actor, view=view, at=at)
    chosen = request.GET.get("id", "")
    context: dict[str, Any] = {
        "items": items,
        "view": view,
        "views": VIEWS,
        "sees_digest": SEARCH_AUDIT in actor.rights,
        "at": at,
        "chosen": chosen,
    }
    if request.GET.get("part"):
        return render(request, "operations/parts/approval_list.html", context)
    if chosen or items:
        first = _uuid(chosen) if chosen else items[0].approval.id
        review = review_approval(actor=actor, approval_id=first, at=at)
        context |= context_of(actor, review) | {"chosen": str(first)}
    return render(request, "operations/approvals.html", context)


@require_GET
@page
def approval(request: HttpRequest, actor: Principal, approval_id: UUID) -> HttpResponse:
    """One item, to be put beside the list; with ``part`` drawn anew against what was ``shown`` before.

    ``was`` is what was shown before the actor asked to see the changes: they are marked, and hold nothing up any more.
    """
    at = utc_now()
    before = request.GET.get("shown") or request.GET.get("was", "")
    review = review_approval(actor=actor, approval_id=approval_id, at=at, shown=from_text(before) if before else None)
    context = context_of(actor, review)
    if request.GET.get("was") and not request.GET.get("shown"):
        context |= {"held_to": to_text(review.parts), "why_not": review.item.why_not, "reviewed": True}
    return render(request, DETAIL if request.GET.get("part") else ITEM, context)


@require_POST
@page
def decide(request: HttpRequest, actor: Principal, approval_id: UUID) -> HttpResponse:
    """Approve or decline what was shown; then the ``next`` item, if one is named, with the outcome above it."""
    data, at = request.POST.dict(), utc_now()
    verdict, text = str(data.get("verdict", "")), str(data.get("shown", ""))
    reason_code = ""
    if verdict == DECLINE:
        reason_code = read_choice(data, "reason_code", DECLINE_REASONS, "Choose why it is declined.")
    try:
        result = decide_approval(
            actor=actor,
            at=at,
            approval_id=approval_id,
            verdict=verdict,
            reason_code=reason_code,
            reason=str(data.get("reason", "")),
            payload_hash=str(data.get("payload_hash", "")),
            shown=from_text(text) if text else None,
        )
    except Conflict as error:
        if error.code != "APPROVAL_MOVED":
            raise
        return _moved(request, actor, approval_id, error)
    return render(request, ITEM, _after(request.POST, actor, approval_id, result))


def _after(data: QueryDict, actor: Principal, approval_id: UUID, result: Decided) -> dict[str, Any]:
    """The next item where one was named and still waits, else the decided one; the outcome above it."""
    at = utc_now()
    decided = review_approval(actor=actor, approval_id=approval_id, at=at)
    context = {"decided": result, "decided_item": decided.item}
    if data.get("next"):
        try:
            following = review_approval(actor=actor, approval_id=_uuid(str(data["next"])), at=at)
        except NotFound:
            return context_of(actor, decided) | context
        return context_of(actor, following) | context
    return context_of(actor, decided) | context


def _moved(request: HttpRequest, actor: Principal, approval_id: UUID, error: Conflict) -> HttpResponse:
    """The item drawn anew with the moved parts marked, instead of a decision."""
    review = review_approval(
        actor=actor, approval_id=approval_id, at=utc_now(), shown=from_text(str(request.POST["shown"]))
    )
    return render(request, ITEM, context_of(actor, review) | {"error": error}, status=error.http_status)


def context_of(actor: Principal, review: Review) -> dict[str, Any]:
    """What the detail shows."""
    item, effect = review.item, review.effect
    return {
        "review": review,
        "item": item,
        "approval": item.approval,
        "order": item.request.order if item.request is not None else None,
        "request": item.request,
        "effect": effect,
        "held_to": to_text(review.held_to),
        "why_not": review.why_not,
        "moved": review.moves.marked,
        "is_mine": item.approval.maker_id == actor.user_id,
        "may_withdraw": item.approval.kind in WITHDRAWABLE,
        "holds_claim": item.is_claimed and item.approval.claimed_by_id == actor.user_id,
        "claimed": item.is_claimed,
        "said": list_said(item.approval.id),
        "versions": list_versions(item.approval.id) if item.approval.version > 1 else (),
        "similar": list_similar(actor=actor, item=item, at=review.at) if review.is_open else (),
        "decline_reasons": DECLINE_REASONS,
        "chosen": str(item.approval.id),
        "at": review.at,
        **(sort_checks(effect.checks) if effect is not None else {}),
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid("APPROVAL_UNKNOWN", "That is not the id of an approval.") from error
