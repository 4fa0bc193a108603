"""A notice was wrong: its next version. What waits for a second person, or has one, is asked anew on the new terms."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, Invalid
from refdata.as_at import terms_of
from refdata.domain.action_terms import ActionTerms, terms_to_json
from refdata.domain.action_transitions import ANNOUNCED, NOT_BEGUN
from refdata.locks import lock_action
from refdata.services._actions import record_action, require_asker
from refdata.services.announce_action import require_terms, write_version
from refdata.services.move_action import move_action


def correct_action(*, actor: Principal, at: datetime, action_id: UUID, terms: ActionTerms, reason: str) -> int:
    """Write the next version and return its number.

    Raises NotPermitted RIGHT_MISSING, NotFound ACTION_UNKNOWN, Invalid ACTION_INVALID, Conflict ACTION_BEGUN (undo it and
    announce another) or ACTION_UNCHANGED; then nothing changed.
    """
    require_asker(actor)
    require_terms(terms)
    if not reason.strip():
        raise Invalid("ACTION_INVALID", "The notice is not complete.", {"reason": ["Say why it is corrected."]})
    with transaction.atomic():
        action = lock_action(action_id)
        if action.state not in NOT_BEGUN:
            raise Conflict("ACTION_BEGUN", f"{action} is being carried out or is over: undo it and announce another.")
        if terms.kind != action.kind:
            raise Conflict("ACTION_KIND", "A correction keeps the kind: cancel this notice and announce another.")
        before = terms_of(action)
        if before == terms:
            raise Conflict("ACTION_UNCHANGED", "These are the terms of the version in force already.")
        action.version += 1
        action.ex_date = terms.ex_date
        write_version(action, terms, actor=actor, at=at, reason=reason)
        if action.state != ANNOUNCED:
            move_action(action=action, move="send_back", actor=actor, at=at, payload={"why": "corrected"})
        else:
            action.updated_at = at
            action.save()
        payload = {"terms": terms_to_json(terms), "before": terms_to_json(before), "reason": reason.strip()}
        record_action(action, "CorporateActionCorrected", actor=actor, at=at, payload=payload)
        return action.version
