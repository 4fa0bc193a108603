"""The issuer took it back, or it was announced by mistake: a notice that nothing has followed from ends."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from refdata.locks import lock_action
from refdata.services._actions import require_asker
from refdata.services.move_action import move_action


def cancel_action(*, actor: Principal, at: datetime, action_id: UUID, reason: str) -> None:
    """End it. Raises NotPermitted RIGHT_MISSING, NotFound ACTION_UNKNOWN, Invalid ACTION_INVALID, Conflict ACTION_STATE."""
    require_asker(actor)
    if not reason.strip():
        raise Invalid("ACTION_INVALID", "Say why it is canceled.", {"reason": ["Say why it is canceled."]})
    with transaction.atomic():
        action = lock_action(action_id)
        move_action(action=action, move="cancel", actor=actor, at=at, payload={"reason": reason.strip()})
