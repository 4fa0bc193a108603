"""What an access review asks, who may answer, and what its close ends. Pure.

* A line is one holding as it was when the review opened. Only that very grant ends with the close: one that ended and was
  given again since, or was given later, is not of this review.
* Nobody reviews what is their own: a grant of theirs, of a service they answer for, or of a role they are in; nor what they
  gave, where anybody else can review it.
* What nobody reviewed ends with the close, never the last holder of a right that must have holders (``holdings``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from authorisation.domain.holdings import AccessWorld, Holding, HoldingKind, Origin, why_held
from authorisation.domain.review_transitions import ENDED, GONE, HELD, KEPT, LAPSED, REMOVED

KEEP = "keep"
REMOVE = "remove"
SCOPES = ("all", "desk", "role")
KIND = "access_review"

DORMANT_AFTER = timedelta(days=45)
SHORTEST = timedelta(hours=1)
LONGEST = timedelta(days=90)
WARN_BEFORE = (timedelta(days=7), timedelta(days=1))
EVERY = timedelta(days=365)
MOST_LINES = 5000
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One holding under review. ``person_id`` is whose it is or who answers for it, ``barred_id`` who gave it where others can
    review it; both 0 for none. ``origin`` is the event that gave it, None where no event tells."""

    number: int
    holding: Holding
    state: str
    origin: UUID | None
    person_id: int = 0
    barred_id: int = 0
    desk_id: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the close does to a line: the state it moves to, and why in one sentence."""

    line: Line
    state: str
    sentence: str

    @property
    def ends(self) -> bool:
        return self.state in (ENDED, LAPSED)


def why_not_reviewer(line: Line, reviewer_id: int, roles: Collection[str]) -> str:
    """Why this person's word does not count on the line, or empty."""
    if reviewer_id == line.person_id:
        own = line.holding.user_id == reviewer_id
        return "It is your own access." if own else "You answer for this service account."
    if not line.holding.user_id and line.holding.role in roles:
        return f"You hold the role {line.holding.role} yourself."
    if line.barred_id and reviewer_id == line.barred_id:
        return "You gave it; another reviewer must say whether it is still needed."
    return ""


def bar_granter(line: Line, granter_id: int, reviewers: Iterable[int], world: AccessWorld) -> int | None:
    """Whom to bar beside the line's own people: who gave it where anybody else can review it, else 0.

    None when nobody among the reviewers may review the line at all.
    """
    able = {one for one in reviewers if not why_not_reviewer(line, one, world.roles_of(one))}
    if not able:
        return None
    return granter_id if granter_id and able - {granter_id} else 0


def is_dormant(*, used: datetime | date | None, since: datetime | None, at: datetime) -> bool:
    """Not used for longer than :data:`DORMANT_AFTER`; what was never used counts from when it was given."""
    last = used or since
    if last is None:
        return True
    day = last.date() if isinstance(last, datetime) else last
    return at.date() - day > DORMANT_AFTER


def why_not_in_bulk(*, conflicts: Sequence[str], dormant: bool) -> str:
    """Why a line cannot be kept together with others, or empty."""
    if conflicts:
        return "It has a conflict; look at it by itself."
    return "It is dormant; look at it by itself." if dormant else ""


def plan_close(lines: Iterable[Line], world: AccessWorld, origins: Mapping[Holding, Origin]) -> list[Outcome]:
    """What a close now would do to each line, in the order of the lines: the same plan is shown, bound to, and carried out."""
    plan = []
    for line in sorted(lines, key=lambda one: one.number):
        outcome = _outcome(line, world, origins)
        if outcome.ends:
            world = world.without(line.holding)
        plan.append(outcome)
    return plan


def _outcome(line: Line, world: AccessWorld, origins: Mapping[Holding, Origin]) -> Outcome:
    now = origins.get(line.holding)
    if not world.has(line.holding):
        return Outcome(line, GONE, "It had ended before the close.")
    if (now.event_id if now else None) != line.origin:
        return Outcome(line, GONE, "It ended and was given again; the new grant is not of this review.")
    if line.state == KEPT:
        return Outcome(line, KEPT, "")
    reason = why_held(world, line.holding)
    if reason:
        return Outcome(line, HELD, reason)
    if line.state == REMOVED:
        return Outcome(line, ENDED, "It ended with the close.")
    return Outcome(line, LAPSED, "Nobody reviewed it; it ended with the close.")


def due_warning(*, deadline: datetime, at: datetime) -> timedelta | None:
    """The narrowest warning that is due, None while the deadline is far."""
    due = [before for before in WARN_BEFORE if at >= deadline - before]
    return min(due) if due else None


def title_of(holding: Holding, *, username: str = "", on_name: str = "", key_name: str = "") -> str:
    """The line in words."""
    if holding.kind == HoldingKind.MEMBER:
        return f"{username} is in the role {holding.role}"
    if holding.kind == HoldingKind.ROLE_RIGHT:
        return f"The role {holding.role} may {holding.right}"
    if holding.kind == HoldingKind.GRANT:
        return f"The role {holding.role} may {holding.right} on {on_name}"
    return f"{username} has the key {key_name}"
