"""Reads of access reviews. A reviewer sees the lines that are theirs to review; who runs reviews, administers or audits sees all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from authorisation.domain.access_review import Line, Outcome, due_warning, plan_close, why_not_reviewer
from authorisation.domain.holdings import AccessWorld, Holding, HoldingKind
from authorisation.domain.principal import REVIEW_ACCESS, Principal
from authorisation.domain.review_transitions import DECIDABLE, UNREVIEWED
from authorisation.models import AccessReview, ReviewAssignment, ReviewLine, User
from authorisation.permissions import reads_every_review
from authorisation.selectors.access_world import get_access_world, get_origins
from kernel.canonical import payload_hash
from kernel.errors import NotFound

FILTERS = ("mine", "unreviewed", "conflicts", "dormant", "removed", "all")
PAGE = 100


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A review in a list, with how many lines stand how. ``warning`` is empty while nothing is urgent."""

    review: AccessReview
    counts: dict[str, int]
    warning: str

    @property
    def unreviewed(self) -> int:
        return self.counts.get(UNREVIEWED, 0)

    @property
    def done(self) -> int:
        return self.review.lines_total - self.unreviewed


@dataclass(frozen=True, slots=True)
class LineItem:
    """A line as its reader sees it; ``why_not`` says why it is not theirs to speak about, empty when it is."""

    row: ReviewLine
    why_not: str

    @property
    def in_bulk(self) -> bool:
        """Whether it may be kept together with others."""
        return not self.why_not and not self.row.conflicts and not self.row.dormant


@dataclass(frozen=True, slots=True)
class LinePage:
    """Up to ``PAGE`` lines behind a number; ``next_after`` is 0 on the last page."""

    items: tuple[LineItem, ...]
    total: int
    next_after: int

    @property
    def tickable(self) -> bool:
        """Whether any of them may be kept together with others now."""
        return any(one.in_bulk and one.row.state == UNREVIEWED for one in self.items)


def line_of(row: ReviewLine) -> Line:
    """A row as the pure core knows it."""
    holding = Holding(HoldingKind(row.kind), row.role, row.user_id or 0, row.right, row.on, row.key_id)
    return Line(row.number, holding, str(row.state), row.origin, row.person_id or 0, row.barred_id or 0, row.desk_id)


def visible_reviews(actor: Principal) -> QuerySet[AccessReview]:
    """All for who reads them all, else those with a line to review."""
    rows = AccessReview.objects.select_related("opened_by", "closed_by")
    if reads_every_review(actor):
        return rows
    if REVIEW_ACCESS not in actor.rights:
        return rows.none()
    return rows.filter(Exists(ReviewAssignment.objects.filter(review=OuterRef("pk"), reviewer_id=actor.user_id)))


def visible_lines(actor: Principal, review_id: UUID) -> QuerySet[ReviewLine]:
    """The lines of a review that exist for the actor, by number."""
    rows = ReviewLine.objects.filter(review_id=review_id).select_related("user", "person", "desk", "said_by", "barred")
    return (rows if reads_every_review(actor) else rows.filter(_assigned(actor))).order_by("number")


def _assigned(actor: Principal) -> Q:
    mine = ReviewAssignment.objects.filter(review=OuterRef("review"), reviewer_id=actor.user_id)
    return Q(Exists(mine.filter(desk=OuterRef("desk")))) | Q(Exists(mine.filter(desk=None)), desk=None)


def list_reviews(actor: Principal, *, at: datetime, limit: int = 100) -> list[ReviewItem]:
    """Reviews that the actor may see, open ones first, then the latest."""
    rows = list(visible_reviews(actor).order_by("closed_at", "-opened_at", "id")[:limit])
    counts = count_states([row.id for row in rows])
    items = [ReviewItem(row, counts.get(row.id, {}), warning_of(row, counts.get(row.id, {}), at)) for row in rows]
    return sorted(
        items, key=lambda one: (one.review.state == AccessReview.State.CLOSED, -one.review.opened_at.timestamp())
    )


def get_review(actor: Principal, review_id: UUID, *, at: datetime) -> ReviewItem:
    """One review; raises NotFound REVIEW_UNKNOWN when the actor may not see it."""
    row = visible_reviews(actor).filter(pk=review_id).first()
    if row is None:
        raise NotFound("REVIEW_UNKNOWN", "There is no such access review that you may see.")
    counts = count_states([row.id]).get(row.id, {})
    return ReviewItem(row, counts, warning_of(row, counts, at))


def count_states(review_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many lines stand how, by review: one statement."""
    found: dict[UUID, dict[str, int]] = {}
    rows: Any = ReviewLine.objects.filter(review_id__in=review_ids).values_list("review_id", "state")
    for review_id, state, number in rows.annotate(number=Count("id")).order_by("review_id", "state"):
        found.setdefault(review_id, {})[state] = number
    return found


def warning_of(review: AccessReview, counts: dict[str, int], at: datetime) -> str:
    """What its readers are warned of: grants that will end because nobody has said that they are needed."""
    unreviewed = counts.get(UNREVIEWED, 0)
    if review.state == AccessReview.State.CLOSED:
        return ""
    if at >= review.deadline_at:
        ending = f"; {unreviewed} unreviewed lines end with it" if unreviewed else ""
        return f"The deadline is over: the review must be closed{ending}."
    before = due_warning(deadline=review.deadline_at, at=at)
    if before is None or not unreviewed:
        return ""
    days = max(1, before.days)
    return f"Less than {days} {'days' if days > 1 else 'day'} left: {unreviewed} lines end with the close unless somebody keeps them."


def list_lines(
    actor: Principal, review_id: UUID, *, chosen: str = "all", after: int = 0, limit: int = PAGE
) -> LinePage:
    """Lines of a filter behind a number. Raises ValueError for a filter that is none."""
    if chosen not in FILTERS:
        raise ValueError(f"{chosen!r} is no filter; use one of {', '.join(FILTERS)}")
    rows = visible_lines(actor, review_id)
    if chosen == "mine":
        rows = rows.filter(_assigned(actor), state=UNREVIEWED)
    elif chosen == "unreviewed":
        rows = rows.filter(state=UNREVIEWED)
    elif chosen == "conflicts":
        rows = rows.exclude(conflicts=[])
    elif chosen == "dormant":
        rows = rows.filter(dormant=True)
    elif chosen == "removed":
        rows = rows.exclude(state__in=("unreviewed", "kept"))
    found = list(rows.filter(number__gt=after)[: limit + 1])
    items = _items(actor, review_id, found[:limit])
    return LinePage(tuple(items), rows.count(), found[limit - 1].number if len(found) > limit else 0)


def get_line(actor: Principal, review_id: UUID, number: int) -> LineItem:
    """One line; raises NotFound REVIEW_LINE_UNKNOWN."""
    row = visible_lines(actor, review_id).filter(number=number).first()
    if row is None:
        raise NotFound("REVIEW_LINE_UNKNOWN", "There is no such line that you may see.")
    return _items(actor, review_id, [row])[0]


def _items(actor: Principal, review_id: UUID, rows: Iterable[ReviewLine]) -> list[LineItem]:
    review = AccessReview.objects.get(pk=review_id)
    mine: set[int | None] = set(
        ReviewAssignment.objects.filter(review_id=review_id, reviewer_id=actor.user_id).values_list(
            "desk_id", flat=True
        )
    )
    roles = set(User.groups.through.objects.filter(user_id=actor.user_id).values_list("group__name", flat=True))
    return [LineItem(row, _why_not(actor, review, row, mine, roles)) for row in rows]


def _why_not(actor: Principal, review: AccessReview, row: ReviewLine, mine: set[int | None], roles: set[str]) -> str:
    if REVIEW_ACCESS not in actor.rights:
        return "Your role may not review access."
    if row.desk_id not in mine:
        return "Others review this desk."
    why_not = why_not_reviewer(line_of(row), actor.user_id, roles)
    if why_not:
        return why_not
    return "" if review.state == AccessReview.State.OPEN else "The review is being closed or is closed."


def list_words(row: ReviewLine) -> list[Any]:
    """Everything that was said about a line, in order."""
    return list(row.words.select_related("reviewer").order_by("said_at", "id"))


@dataclass(frozen=True, slots=True)
class ClosePlan:
    """What a close now would do, and the world in which it would do it."""

    outcomes: tuple[Outcome, ...]
    world: AccessWorld

    @property
    def ending(self) -> tuple[Outcome, ...]:
        return tuple(one for one in self.outcomes if one.ends)

    @property
    def hit(self) -> tuple[str, ...]:
        """Names of the active users who lose something, in order."""
        ids = {user for one in self.ending for user in self.world.hit_by(one.line.holding)}
        return tuple(sorted(self.world.holders[user].username for user in ids))


def plan_review_close(rows: Iterable[ReviewLine], *, at: datetime) -> ClosePlan:
    """The dry run of the close on the access of now."""
    world = get_access_world(at=at)
    return ClosePlan(tuple(plan_close(map(line_of, rows), world, get_origins(world))), world)


def words_digest(rows: Iterable[ReviewLine]) -> str:
    """What a close binds to: how each line stands. Lines that the close itself moved do not count here."""
    return payload_hash([[row.number, str(row.state)] for row in rows if row.state in DECIDABLE])


def outcome_digest(rows: Iterable[ReviewLine]) -> str:
    """Over every line with its end, kept by the review and told by its event: evidence made later must give the same."""
    return payload_hash(
        [
            [row.number, row.title, str(row.state), row.outcome, row.said_by_id, row.said_at, row.said_why]
            for row in sorted(rows, key=lambda one: one.number)
        ]
    )
