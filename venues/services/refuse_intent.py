"""Say no to a message that has not left: the request ends refused, its reservation goes, the submitter is told."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from kernel.errors import Conflict, NotFound
from orders.services.cancel_unsent import cancel_unsent
from orders.services.refuse_unsent import refuse_unsent
from venues.locks import lock_waiting_intent, lock_waiting_new
from venues.models import WireIntent


def refuse_intent(*, intent_id: int, code: str, sentence: str, at: datetime, completes_locally: bool = False) -> bool:
    """One transaction of its own. False when the intent no longer waited.

    ``completes_locally``: a cancel of an order that was never handed over; order and cancel end here, both unsent.
    """
    with transaction.atomic(durable=True):
        intent = lock_waiting_intent(intent_id=intent_id)
        if intent is None:
            return False
        if completes_locally:
            unsent = lock_waiting_new(order_id=intent.order_id)
            if unsent is None:
                return False
            _close(unsent, WireIntent.State.WITHDRAWN, "canceled before it was sent", at)
            _close(intent, WireIntent.State.WITHDRAWN, sentence, at)
            cancel_unsent(request_id=intent.request_id, at=at)
            return True
        try:
            with transaction.atomic():
                refuse_unsent(request_id=intent.request_id, at=at, code=code, sentence=sentence)
        except NotFound:  # an intent for nothing: written past the doors, and closed here
            _close(intent, WireIntent.State.REFUSED, f"{code}: {sentence}", at)
        except Conflict as moved_on:  # declined, withdrawn or lapsed meanwhile: its end has been told already
            _close(intent, WireIntent.State.WITHDRAWN, str(moved_on), at)
        else:
            _close(intent, WireIntent.State.REFUSED, f"{code}: {sentence}", at)
    return True


def _close(intent: WireIntent, state: WireIntent.State, reason: str, at: datetime) -> None:
    intent.state = state
    intent.reason = reason
    intent.closed_at = at
    intent.save(update_fields=["state", "reason", "closed_at"])
