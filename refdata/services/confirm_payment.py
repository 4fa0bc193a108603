"""The money of a dividend has arrived: the pay date's part may be booked. Never by time alone (settled is what is confirmed)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from refdata.as_at import terms_of
from refdata.locks import lock_action
from refdata.services._actions import require_asker
from refdata.services.move_action import move_action


def confirm_payment(*, actor: Principal, at: datetime, action_id: UUID, today: date, statement: str) -> None:
    """Say by which ``statement`` of the bank it is known. The sweeper books it.

    Raises NotPermitted RIGHT_MISSING, NotFound ACTION_UNKNOWN, Conflict ACTION_STATE, PAYMENT_NOT_DUE or STATEMENT_MISSING.
    """
    require_asker(actor)
    if not statement.strip():
        raise Conflict("STATEMENT_MISSING", "Name the statement or message by which the payment is known.")
    with transaction.atomic():
        action = lock_action(action_id)
        pay_date = terms_of(action).pay_date
        if pay_date is not None and today < pay_date:
            raise Conflict("PAYMENT_NOT_DUE", f"It is paid on {pay_date}; nothing can have arrived before.")
        move_action(action=action, move="pay", actor=actor, at=at, payload={"statement": statement.strip()})
