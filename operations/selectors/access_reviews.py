"""What an approver of a close reads, and the evidence of an access review: every line, who said what, when, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from authorisation.domain.access_review import KIND, Outcome
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.domain.review_transitions import CLOSED, CLOSING, ENDED, GONE, HELD, LAPSED
from authorisation.models import AccessReview, AuthorisationRequest, ReviewLine, User
from authorisation.selectors.reviews import ClosePlan, get_review, plan_review_close, visible_lines
from kernel.canonical import sha256
from operations.domain.effect import Effect, EffectLine
from operations.exporting import Column, ExportedFile, Heading, Section, Table, export_table, make_table, pdf_of

SHOWN = 40
WORDS = {ENDED: "ends", LAPSED: "ends: nobody reviewed it", HELD: "stays: last holder", GONE: "had ended already"}
COLUMNS = (
    Column("number", "Line"), Column("kind", "Kind"), Column("title", "Who has what"), Column("desk", "Desk"),
    Column("granted_by", "Given by"), Column("granted_at", "Since"), Column("last_used_on", "Last used"),
    Column("last_seen_on", "Last came"), Column("conflicts", "Conflicts"), Column("dormant", "Dormant"),
    Column("state", "State"), Column("said_by", "Said by"), Column("said_at", "Said at"), Column("said_why", "Why"),
    Column("late", "After the deadline"), Column("outcome", "What became of it"),
)  # fmt: skip


def scope_words(review: AccessReview) -> str:
    """What is reviewed, in words."""
    if review.scope == AccessReview.Scope.DESK:
        return f"the desk {review.scope_name}"
    return f"the role {review.scope_name}" if review.scope == AccessReview.Scope.ROLE else "everybody"


def describe_close(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The dry run of now: what ends, who is hit, what stays although it was to end."""
    review = AccessReview.objects.get(pk=UUID(facts.subject_id))
    if review.state != CLOSING:
        return Effect("The review is not waiting for its close any more.", "nothing to close")
    plan = plan_review_close(ReviewLine.objects.filter(review=review).order_by("number"), at=at)
    titles = dict(ReviewLine.objects.filter(review=review).values_list("number", "title"))
    moved = [one for one in plan.outcomes if one.state in WORDS]
    ending, hit = len(plan.ending), plan.hit
    warnings = [f"Who loses something ({len(hit)}): {', '.join(hit[:SHOWN])}."] if hit else []
    if actor.username in hit:
        warnings.append("You are among them: let another person decide, or decide knowing it.")
    if ending:
        warnings.append("What ends is not given back by itself: it must be asked for anew.")
    if len(moved) > SHOWN:
        warnings.append(f"{len(moved) - SHOWN} more lines are on the page of the review.")
    return Effect(
        headline=f"Closes the access review of {scope_words(review)}: {_counted(plan)}.",
        button=f"end {ending} {'grant' if ending == 1 else 'grants'}",
        lines=tuple(_line(one, titles) for one in moved[:SHOWN]),
        warnings=tuple(warnings),
    )


def _line(outcome: Outcome, titles: dict[int, str]) -> EffectLine:
    note = outcome.sentence if outcome.state == HELD else ""
    return EffectLine(titles[outcome.line.number], "stands", WORDS[outcome.state], note)


def _counted(plan: ClosePlan) -> str:
    counts = {state: sum(one.state == state for one in plan.outcomes) for state in WORDS}
    kept = len(plan.outcomes) - sum(counts.values())
    return (
        f"{kept} are kept, {counts[ENDED]} removed, {counts[LAPSED]} lapse unreviewed, {counts[HELD]} stay because nobody else "
        f"would hold them, {counts[GONE]} had ended already"
    )


def counted_close(review: AccessReview, *, at: datetime) -> ClosePlan:
    """What a close now would do, for the page of the review."""
    return plan_review_close(ReviewLine.objects.filter(review=review).order_by("number"), at=at)


def review_table(*, actor: Principal, review_id: UUID, heading: Heading) -> Table:
    """Every line the actor may see. Of a closed review: by whom and when it was closed, so that the bytes are the same for ever."""
    review = get_review(actor, review_id, at=heading.at).review
    if review.state == CLOSED:
        heading = _heading_of_closed(review)
    rows = list(visible_lines(actor, review_id))
    late = set(_late_lines(review_id))
    people = {f"user:{pk}": name for pk, name in User.objects.values_list("pk", "username")}
    return make_table(
        heading,
        COLUMNS,
        (
            (
                row.number, row.get_kind_display(), row.title, row.desk.code if row.desk else "",
                people.get(row.granted_by, row.granted_by), row.granted_at, row.last_used_on, row.last_seen_on,
                " ".join(row.conflicts), "yes" if row.dormant else "", row.get_state_display(),
                row.said_by.username if row.said_by else "", row.said_at, row.said_why,
                "yes" if row.number in late else "", row.outcome,
            )
            for row in rows
        ),
    )  # fmt: skip


def _late_lines(review_id: UUID) -> list[int]:
    """Numbers of the lines whose word was said after the deadline."""
    rows = ReviewLine.objects.filter(review_id=review_id, words__late=True)
    return list(rows.values_list("number", flat=True).distinct())


def _heading_of_closed(review: AccessReview) -> Heading:
    assert review.closed_at is not None
    assert review.closed_by is not None
    title = f"Access review of {scope_words(review)}"
    return Heading(title, review.closed_by.username, review.closed_at, "UTC", {"review": str(review.id)})


def review_file(*, actor: Principal, review_id: UUID, heading: Heading, form: str) -> ExportedFile:
    """The evidence in a form of ``exporting``; the PDF says first who asked, who decided, and the digests.

    Raises NotFound REVIEW_UNKNOWN, Invalid EXPORT_FORM_UNKNOWN.
    """
    table = review_table(actor=actor, review_id=review_id, heading=heading)
    made = export_table(table, form)
    if form != "pdf":
        return made
    story = Section("What was reviewed, and by whom", tuple(_story(get_review(actor, review_id, at=heading.at).review)))
    body = pdf_of(table.heading, [story, Section("Every line", (), table)], facts=table.facts)
    return replace(made, body=body, sha256=sha256(body).hex())


def _story(review: AccessReview) -> list[str]:
    reviewers = sorted({one.reviewer.username for one in review.assignments.select_related("reviewer")})
    said = [
        f"Review {review.id} of {scope_words(review)}: {review.reason}",
        f"Opened by {review.opened_by.username} at {_utc(review.opened_at)}.",
        f"{review.lines_total} lines; deadline {_utc(review.deadline_at)}; reviewers {', '.join(reviewers)}.",
        f"SHA-256 of the lines as they were found: {review.snapshot_digest}",
    ]
    request = (
        AuthorisationRequest.objects.filter(subject_id=str(review.id), kind=KIND)
        .order_by("-created_at")
        .select_related("maker")
        .first()
    )
    if request is not None:
        said.append(
            f"The close was asked for by {request.maker.username} at {_utc(request.created_at)}, request {request.id}."
        )
    if review.closed_at is not None and review.closed_by is not None:
        said.append(f"The close was approved by {review.closed_by.username} at {_utc(review.closed_at)}.")
        said.append(
            f"SHA-256 of the lines as they ended, told by the event AccessReviewClosed: {review.outcome_digest}"
        )
    else:
        said.append("The review is not closed: this is no evidence of its outcome.")
    return said


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
