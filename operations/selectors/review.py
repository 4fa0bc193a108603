"""One request as its checker reads it: the effect by a dry run of now, and what is not as it was shown before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import CLOSED
from kernel.errors import OmsError
from operations.approving import KINDS
from operations.domain.effect import Effect
from operations.domain.shown import Moves, Parts, compare, parts_of
from operations.selectors.approvals import WaitingItem, get_approval
from operations.selectors.payload_shown import shown_payload


@dataclass(frozen=True, slots=True)
class Review:
    """``parts`` are those of now, ``held_to`` what a decision from this page is held to, ``moves`` how they differ.

    ``effect`` is None when the request is closed, or of a kind that has nothing to reckon. ``payload`` is what was asked, as the actor
    may read it.
    """

    item: WaitingItem
    effect: Effect | None
    parts: Parts
    held_to: Parts
    moves: Moves
    at: datetime
    payload: Mapping[str, Any]

    @property
    def is_open(self) -> bool:
        return self.item.approval.state not in CLOSED

    @property
    def why_not(self) -> str:
        """Why this actor cannot decide it from this page now; empty when nothing stands against it."""
        if self.item.why_not:
            return self.item.why_not
        if count := len(self.moves.binding):
            return f"{count} thing{'s' if count > 1 else ''} changed since you looked: review first."
        return ""

    @property
    def why_not_together(self) -> str:
        """Why it is not for approving with others: only what would go through as it is, with an effect to add up."""
        if self.item.why_not:
            return self.item.why_not
        if self.effect is None:
            return "Its effect cannot be reckoned; look at it alone."
        if self.effect.obstacle:
            return self.effect.obstacle
        return "" if self.effect.is_green else "A check refuses it now."


def review_approval(*, actor: Principal, approval_id: UUID, at: datetime, shown: Parts | None = None) -> Review:
    """The item on the facts of now. ``shown`` is what the actor was shown before; without, this is the first look.

    Raises NotFound AUTHORISATION_UNKNOWN.
    """
    item = get_approval(actor=actor, approval_id=approval_id, at=at)
    effect = effect_of(actor, item, at) if item.approval.state not in CLOSED else None
    parts = parts_of(item.approval.payload_hash, effect)
    moves = compare(shown, parts) if shown is not None and effect is not None else Moves()
    payload = shown_payload(actor, item.approval)
    return Review(item, effect, parts, shown if shown is not None else parts, moves, at, payload)


def effect_of(actor: Principal, item: WaitingItem, at: datetime) -> Effect | None:
    """By a dry run of now; what stands against even that is the obstacle. None for a kind that has none."""
    known = KINDS.get(item.approval.kind)
    if known is None or known.describe is None:
        return None
    try:
        return known.describe(actor, item.approval, at)
    except OmsError as error:
        return Effect(headline=item.approval.summary, button=item.title.lower(), obstacle=error.sentence)
