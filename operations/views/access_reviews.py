"""Access reviews: the list with the form that opens one, a review with its lines, a line with its words, the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.access_review import WARN_BEFORE
from authorisation.domain.principal import REVIEW_ACCESS, RUN_ACCESS_REVIEW, Principal
from authorisation.domain.review_transitions import OPEN
from authorisation.models import Desk
from authorisation.selectors.access_world import get_access_world
from authorisation.selectors.reviews import (
    FILTERS,
    ReviewItem,
    get_line,
    get_review,
    list_lines,
    list_reviews,
    list_words,
)
from authorisation.services.ask_review_close import ask_review_close
from authorisation.services.certify_line import certify_line
from authorisation.services.keep_lines import keep_lines
from authorisation.services.open_review import open_review
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.selectors.access_reviews import counted_close, review_file, scope_words
from operations.services.record_read import RECORDS_EXPORTED, record_read
from operations.views.edge import actor_may, page
from operations.views.exports import file_answer, heading_for

FILTER_WORDS = {
    "mine": "Mine to review", "unreviewed": "Unreviewed", "conflicts": "Conflicts", "dormant": "Dormant",
    "removed": "Not kept", "all": "All",
}  # fmt: skip
NO_RIGHT = "Your role may not open or close access reviews."
USUAL = timedelta(days=14)


@require_GET
@page
def reviews(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Reviews, open ones first, and the form."""
    at = utc_now()
    items = list_reviews(actor, at=at)
    context: dict[str, Any] = {
        "items": [(item, scope_words(item.review)) for item in items],
        "at": at,
        "why_not": "" if actor_may(actor, RUN_ACCESS_REVIEW) else NO_RIGHT,
    }
    if not context["why_not"]:
        context |= _form(at)
    return render(request, "operations/access_reviews.html", context)


def _form(at: datetime) -> dict[str, Any]:
    world = get_access_world(at=at)
    able = world.people_with(REVIEW_ACCESS)
    return {
        "desks": list(Desk.objects.order_by("code")),
        "roles": list(Group.objects.order_by("name").values_list("name", flat=True)),
        "reviewers": sorted((world.holders[one].username, one) for one in able),
        "deadline": timezone.localtime(at + USUAL),
    }


@require_POST
@page
def opening(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Open a review as typed and go to it."""
    data = request.POST
    scope = data.get("scope", "")
    opened = open_review(
        actor=actor,
        at=utc_now(),
        scope=scope,
        scope_name=data.get(f"{scope}_name", "")[:150] if scope in ("desk", "role") else "",
        deadline_at=_read_deadline(data.get("deadline", "")),
        reviewers=_read_reviewers(data.getlist("reviewer")),
        reason=data.get("reason", "")[:600],
    )
    return redirect("access-review", review_id=opened.id)


def _read_deadline(text: str) -> datetime:
    """Local time of the person's zone."""
    try:
        typed = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("REVIEW_INVALID", "That is no time.", {"deadline": ["A date and a time."]}) from error
    return typed if typed.tzinfo else timezone.make_aware(typed)


def _read_reviewers(pairs: list[str]) -> dict[int | None, list[int]]:
    """``desk:person``, desk 0 for what belongs to none."""
    found: dict[int | None, list[int]] = {}
    for pair in pairs[:1000]:
        desk, _, person = pair.partition(":")
        if not (desk.isdecimal() and person.isdecimal() and len(pair) <= 24):
            raise Invalid(
                "REVIEW_INVALID", "A reviewer is chosen from the list.", {"reviewers": ["Choose from the list."]}
            )
        found.setdefault(int(desk) or None, []).append(int(person))
    return found


@require_GET
@page
def review(request: HttpRequest, actor: Principal, review_id: UUID) -> HttpResponse:
    """Lines of a filter and one line beside them; with ``part`` the list alone."""
    chosen = request.GET.get("view", "mine" if actor_may(actor, REVIEW_ACCESS) else "all")
    at = utc_now()
    item = get_review(actor, review_id, at=at)
    context = _lines(actor, request.GET, item, chosen if chosen in FILTERS else "all")
    if request.GET.get("part"):
        return render(request, "operations/parts/review_lines.html", context)
    number = request.GET.get("line", "")
    if number.isdecimal() and len(number) <= 6:
        context |= _line(actor, item, int(number))
    return render(request, "operations/access_review.html", context | _closing(actor, item, at))


def _lines(actor: Principal, given: Mapping[str, str], item: ReviewItem, chosen: str) -> dict[str, Any]:
    after = given.get("after", "0")
    behind = int(after) if after.isdecimal() and len(after) <= 6 else 0
    return {
        "item": item,
        "review": item.review,
        "scope": scope_words(item.review),
        "views": FILTER_WORDS,
        "view": chosen,
        "page": list_lines(actor, item.review.id, chosen=chosen, after=behind),
        "after": behind,
    }


def _line(actor: Principal, item: ReviewItem, number: int) -> dict[str, Any]:
    line = get_line(actor, item.review.id, number)
    return {"item": item, "review": item.review, "line": line, "words": list_words(line.row)}


def _closing(actor: Principal, item: ReviewItem, at: datetime) -> dict[str, Any]:
    """What a close would do, and why it cannot be asked for now."""
    stands = item.review
    why_not = ""
    if not actor_may(actor, RUN_ACCESS_REVIEW):
        why_not = NO_RIGHT
    elif item.unreviewed and at < stands.deadline_at:
        why_not = f"{item.unreviewed} lines are not reviewed, and the deadline is not over."
    plan = counted_close(stands, at=at) if stands.state == OPEN and not why_not else None
    return {"plan": plan, "why_not_close": why_not, "first_warning": WARN_BEFORE[0].days}


@require_GET
@page
def review_line(request: HttpRequest, actor: Principal, review_id: UUID, number: int) -> HttpResponse:
    """One line: what is known of it, everything said about it, and the two buttons."""
    item = get_review(actor, review_id, at=utc_now())
    return render(request, "operations/parts/review_line.html", _line(actor, item, number))


@require_POST
@page
def certify(request: HttpRequest, actor: Principal, review_id: UUID, number: int) -> HttpResponse:
    """Keep or remove."""
    state = certify_line(
        actor=actor,
        at=utc_now(),
        review_id=review_id,
        number=number,
        verdict=request.POST.get("verdict", ""),
        reason=request.POST.get("reason", "")[:600],
    )
    context = _line(actor, get_review(actor, review_id, at=utc_now()), number) | {"said": state}
    return _moved(render(request, "operations/parts/review_line.html", context))


@require_POST
@page
def keep(request: HttpRequest, actor: Principal, review_id: UUID) -> HttpResponse:
    """Keep the lines that are ticked, each answered for itself."""
    numbers = [int(one) for one in request.POST.getlist("number")[:1000] if one.isdecimal() and len(one) <= 6]
    reason = request.POST.get("reason", "")[:600]
    answers = keep_lines(actor=actor, at=utc_now(), review_id=review_id, numbers=numbers, reason=reason)
    context = {"kept": [one for one in answers if not one.why_not], "left": [one for one in answers if one.why_not]}
    return _moved(render(request, "operations/parts/review_kept.html", context))


def _moved(response: HttpResponse) -> HttpResponse:
    """The list beside it draws itself anew."""
    response.headers["HX-Trigger"] = "review-moved"
    return response


@require_POST
@page
def close(request: HttpRequest, actor: Principal, review_id: UUID) -> HttpResponse:
    """Ask a second person for the close."""
    get_review(actor, review_id, at=utc_now())
    reason = request.POST.get("reason", "")[:600]
    asked = ask_review_close(actor=actor, at=utc_now(), review_id=review_id, reason=reason)
    return render(request, "operations/parts/review_asked.html", {"asked": asked})


@require_GET
@page
def evidence(request: HttpRequest, actor: Principal, review_id: UUID) -> HttpResponse:
    """The review as a file in the ``form`` asked for, PDF when absent, once it is on record that it was taken."""
    form, at = request.GET.get("form", "pdf"), utc_now()
    item = get_review(actor, review_id, at=at)
    heading = heading_for(actor, f"Access review of {scope_words(item.review)}", {"review": str(review_id)}, at)
    made = review_file(actor=actor, review_id=review_id, heading=heading, form=form)
    what = {
        "what": f"access review {review_id}", "form": form, "rows": made.rows, "rows_sha256": made.rows_sha256,
        "sha256": made.sha256,
    }  # fmt: skip
    record_read(actor=actor, at=at, kind=RECORDS_EXPORTED, what=what)
    return file_answer(made.name, made.content_type, made.body, made.sha256)
