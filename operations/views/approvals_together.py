"""Several requests of one kind approved together: an interruption with the effect of all, then the outcome of each."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound
from kernel.ids import new_id
from operations.domain.shown import from_text, to_text
from operations.selectors.review import Review, review_approval
from operations.services.decide_many import MOST
from operations.services.decide_together import Looked, decide_together
from operations.views.edge import page

PAGE = "operations/approvals_together.html"


@require_http_methods(["GET", "POST"])
@page
def together(request: HttpRequest, actor: Principal) -> HttpResponse:
    """GET ``ids``: what would happen and what is left out; POST the count as typed: the outcome of each."""
    if request.method == "GET":
        return render(request, PAGE, _asked(actor, request.GET.get("ids", "").split(",")))
    data, at = request.POST, utc_now()
    looked = [_looked(text) for text in data.getlist("item")[: MOST + 1]]
    if data.get("count", "").strip() != str(len(looked)):
        sentence = f"Type {len(looked)}, the number of requests, to approve them."
        raise Invalid("COUNT_WRONG", sentence, {"count": [sentence]})
    request_id = _uuid(data.get("request_id", ""))
    outcomes = decide_together(
        actor=actor,
        at=at,
        kind=data.get("kind", ""),
        items=looked,
        reason=data.get("reason", ""),
        request_id=request_id,
    )
    done = sum(one.outcome in ("applied", "recorded") for one in outcomes)
    context = {"outcomes": outcomes, "done": done, "request_id": request_id}
    return render(request, PAGE, context)


def _asked(actor: Principal, texts: Sequence[str]) -> dict[str, Any]:
    """What may be approved together, its effect in sum, and why others may not."""
    at = utc_now()
    ids = list(dict.fromkeys(_uuid(text) for text in texts if text))[:MOST]
    reviews = [review for one in ids if (review := _review(actor, one, at)) is not None]
    kind = reviews[0].item.approval.kind if reviews else ""
    good = [review for review in reviews if review.item.approval.kind == kind and not review.why_not_together]
    left = [(review, review.why_not_together or "It is of another kind.") for review in reviews if review not in good]
    return {
        "good": [(review, to_text(review.parts)) for review in good],
        "left": left,
        "kind": kind,
        "most": MOST,
        "totals": _totals(good),
        "request_id": new_id(),
    }


def _review(actor: Principal, approval_id: UUID, at: Any) -> Review | None:
    try:
        return review_approval(actor=actor, approval_id=approval_id, at=at)
    except NotFound:
        return None


def _totals(reviews: Sequence[Review]) -> list[tuple[str, Decimal]]:
    """What all of them are worth, a currency a line."""
    sums: dict[str, Decimal] = {}
    for review in reviews:
        value = (review.effect.value if review.effect else None) or review.item.value
        if value is not None:
            sums[value.currency] = sums.get(value.currency, Decimal(0)) + value.amount
    return sorted(sums.items())


def _looked(text: str) -> Looked:
    """``id:hash:shown``, as the page wrote it."""
    name, _, rest = text.partition(":")
    payload_hash, _, shown = rest.partition(":")
    return Looked(_uuid(name), payload_hash, from_text(shown))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid("APPROVAL_UNKNOWN", "That is not the id of an approval.") from error
