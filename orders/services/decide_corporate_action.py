"""A second person's word on a corporate action: apply it when its ex date comes, or take back what was applied.

Applying is left to the sweeper. Taking back gives reference data back at once, under the block; accounts follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.four_eyes import APPROVE, is_visible, require_decidable, require_verdict
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request
from authorisation.services.record_decision import record_decision
from kernel.errors import Conflict, NotFound, OmsError
from orders.domain.results import DecideResult
from orders.selectors.actions import today_of
from orders.services._actions import block
from orders.services.ask_corporate_action import APPLY, KIND
from refdata.domain.action_transitions import CHECKED
from refdata.locks import lock_action
from refdata.models import CorporateAction
from refdata.services.move_action import move_action
from refdata.services.rename_listing import rename_listing
from refdata.services.rescale_listings import restore_listings


def decide_corporate_action(
    *,
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    verdict: str,
    reason_code: str,
    reason: str,
    payload_hash: str,
) -> DecideResult:
    """Approve or decline. An approval is carried out on the version that was looked at, or not at all and says why.

    Raises NotFound, NotPermitted (own request, no right, not a person), Conflict (closed, changed), Invalid, Refused
    AUTHORISATION_EXPIRED; then nothing changed.
    """
    with transaction.atomic():
        require_verdict(verdict, reason_code, reason)
        facts = lock_request(authorisation_id)
        if facts.kind != KIND or not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
        require_decidable(facts, actor, at, payload_hash=payload_hash)
        action = lock_action(UUID(facts.subject_id))
        applies, obstacle = facts.payload["decision"] == APPLY, ""
        if verdict == APPROVE:
            try:
                with transaction.atomic():
                    _carry_out(action, facts.payload, actor, at)
            except OmsError as error:  # it was corrected, canceled or carried out meanwhile: nothing of this was kept
                obstacle = error.sentence
        elif applies and action.state == CHECKED and action.authorisation_id == facts.id:
            payload = {"why": "declined", "reason_code": reason_code, "reason": reason}
            move_action(action=action, move="send_back", actor=actor, at=at, payload=payload)
        record_decision(
            actor=actor,
            at=at,
            authorisation_id=authorisation_id,
            verdict=verdict,
            reason_code=reason_code,
            reason=reason,
            payload_hash=payload_hash,
            not_applied_because=obstacle,
        )
    if verdict != APPROVE:
        return DecideResult(authorisation_id, "declined", f"{action} was declined; nothing changes.")
    if obstacle:
        return DecideResult(authorisation_id, "not_applied", obstacle)
    done = f"{action} is applied on {action.ex_date}." if applies else f"{action} is being taken back."
    return DecideResult(authorisation_id, "applied", done)


def _carry_out(action: CorporateAction, asked: Mapping[str, Any], actor: Principal, at: datetime) -> None:
    if action.version != asked["version"]:
        raise Conflict(
            "ACTION_CORRECTED", f"{action} was corrected since it was asked: look at version {action.version}."
        )
    if asked["decision"] == APPLY:
        move_action(action=action, move="approve", actor=actor, at=at)
        return
    move_action(action=action, move="take_back", actor=actor, at=at, payload={"reason": asked["reason"]})
    block(action, at=at)
    reason = f"corporate action {action} is undone"
    if "listings" in action.changes:
        restore_listings(
            actor=actor, at=at, instrument_id=action.instrument_id, changes=action.changes["listings"], reason=reason
        )
    elif action.changes:
        names = {name: action.changes[name] for name in ("symbol", "venue_symbol", "isin")}
        rename_listing(actor=actor, at=at, action=action, day=today_of(action, at), **names)
