"""What would come of an approval now: it is made, with everything it runs and locks, and rolled back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.four_eyes import APPROVE
from authorisation.domain.principal import Principal
from authorisation.selectors import get_request
from authorisation.services.decide_request import APPLIED, RECORDED
from kernel.errors import OmsError
from operations.approving import KINDS

DRY_RUN = "DRY_RUN"


def try_decision(*, actor: Principal, at: datetime, authorisation_id: UUID, payload_hash: str) -> str:
    """Why an approval would not be carried out now; the empty text when it would. Nothing is kept.

    Raises NotFound AUTHORISATION_UNKNOWN.
    """
    item = get_request(actor, authorisation_id, at=at)
    known = KINDS.get(item.facts.kind)
    if item.why_not or known is None:
        return item.why_not or "Nobody decides such a request here."
    try:
        with transaction.atomic():
            result = known.decide(
                actor=actor, at=at, authorisation_id=authorisation_id, verdict=APPROVE, reason_code=DRY_RUN, reason="",
                payload_hash=payload_hash,
            )  # fmt: skip
            transaction.set_rollback(True)
    except OmsError as error:
        return error.sentence
    return "" if result.outcome in (APPLIED, RECORDED) else str(result.sentence)
