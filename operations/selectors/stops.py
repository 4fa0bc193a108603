"""What the risk page and the banner say of stops: those that stand, who pressed them and why, and what asks to let them go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest, User
from operations.domain.effect import Effect, EffectLine
from operations.selectors.scopes import scope_names
from orders.selectors.stopping import count_reach
from risk.domain.stops import is_stop
from risk.models import Block
from risk.services.request_stop_release import KIND


@dataclass(frozen=True, slots=True)
class StandingStop:
    """One stop or other block as the page lists it. ``release_id``: the question that waits for a second person."""

    id: UUID
    scope: str
    name: str
    source: str
    reason: str
    imposed_by: str
    imposed_at: datetime
    is_stop: bool
    release_id: UUID | None = None


def list_standing() -> list[StandingStop]:
    """Every block that stands, oldest first, the trading switch included."""
    return _shown(list(Block.objects.filter(lifted_at__isnull=True).order_by("imposed_at", "id")[:500]))


def get_stop(stop_id: UUID) -> tuple[StandingStop, Block] | None:
    """One stop, standing or released."""
    block = Block.objects.filter(id=stop_id).first()
    return (_shown([block])[0], block) if block is not None and is_stop(block.source) else None


def describe_release(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """What letting go would do now: reopen the gate, unless another stop still covers the same orders."""
    asked = facts.payload
    name = str(asked["name"])
    stands = Block.objects.filter(id=UUID(facts.subject_id), lifted_at__isnull=True).exists()
    others = [one for one in list_standing() if str(one.id) != facts.subject_id]
    reach = count_reach(scope=asked["scope"], scope_id=asked["scope_id"])
    obstacle = "" if stands else "This stop does not stand any more."
    if asked["pressed_by_id"] == actor.user_id:
        obstacle = obstacle or "You pressed this stop; somebody else must let it go."
    warnings = [f"{one.name} stays stopped: {one.reason}" for one in others[:5]]
    open_now = f"{reach.working + reach.queued:,}"
    return Effect(
        headline=f"New orders of {name} are taken again. Nothing resumes by itself: what was ended stays ended.",
        button=f"reopen {name}",
        lines=(
            EffectLine("New orders", "refused" if stands else "taken", "taken", f"stopped: {asked['stopped_because']}"),
            EffectLine("Orders sent again", "0", "0", "canceled and refused orders are entered anew by people"),
            EffectLine(
                "Open orders of it", open_now, open_now, "still at a venue, or not proven canceled", drifts=True
            ),
        ),
        warnings=tuple(warnings),
        obstacle=obstacle,
    )


def _shown(blocks: Sequence[Block]) -> list[StandingStop]:
    names = scope_names((block.scope, block.scope_id) for block in blocks)
    people = dict(
        User.objects.filter(pk__in={b.imposed_by_user for b in blocks if b.imposed_by_user}).values_list(
            "pk", "username"
        )
    )
    stops = [str(block.id) for block in blocks if is_stop(block.source)]
    waiting = AuthorisationRequest.objects.filter(kind=KIND, subject_id__in=stops, state__in=OPEN).values_list(
        "subject_id", "id"
    )
    asked = {UUID(subject): request_id for subject, request_id in waiting} if stops else {}
    return [
        StandingStop(
            id=block.id,
            scope=block.scope,
            name=names[block.scope, block.scope_id],
            source=block.source,
            reason=block.reason,
            imposed_by=people.get(block.imposed_by_user or 0, block.imposed_by),
            imposed_at=block.imposed_at,
            is_stop=is_stop(block.source),
            release_id=asked.get(block.id),
        )
        for block in blocks
    ]
