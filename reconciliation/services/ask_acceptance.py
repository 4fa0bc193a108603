"""Ask a second person to let a file of the start of day in as it is: without its bad rows, with what exceeds the tolerances."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid, NotFound
from reconciliation.domain import intake_states as states
from reconciliation.locks import lock_intake
from reconciliation.models import Intake
from reconciliation.permissions import require_work
from reconciliation.selectors.intakes import request_is_open

KIND = "start_of_day"
MAX_REASON = 500


def ask_acceptance(*, actor: Principal, at: datetime, intake_id: UUID, reason: str) -> UUID:
    """The id of the authorisation request, bound to the intake as it stands.

    Raises NotPermitted RIGHT_MISSING, NotFound INTAKE_UNKNOWN, Invalid REASON_INVALID, Conflict INTAKE_NOT_WAITING or
    DECISION_PENDING; then nothing is kept.
    """
    require_work(actor)
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    with transaction.atomic():
        if not Intake.objects.filter(pk=intake_id).exists():
            raise NotFound("INTAKE_UNKNOWN", "There is no such file of the start of day.")
        intake = lock_intake(intake_id)
        if intake.state != states.WAITING:
            raise Conflict("INTAKE_NOT_WAITING", f"{intake.file.name} is {intake.state}; only what waits is accepted.")
        if request_is_open(intake):
            raise Conflict("DECISION_PENDING", f"{intake.file.name} waits for a second person already.")
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type="intake",
            subject_id=str(intake.id),
            subject_version=intake.version,
            payload={
                "intake_id": str(intake.id),
                "file": intake.file.name,
                "sha256": intake.file.sha256,
                "kind": intake.kind,
                "source": intake.source,
                "day": intake.day.isoformat(),
                "rows": intake.rows,
                "refused": intake.refused,
                "changed": intake.changed,
                "issues": {one["code"]: one["count"] for one in intake.issues},
                "totals": intake.totals,
                "reason": reason,
            },
            summary=f"accept {intake.file.name} ({intake.kind}, {intake.day}) without {intake.refused} rows, because: {reason}"[
                :500
            ],
        )
        intake.request_id = raised.id
        intake.save(update_fields=["request_id"])
    return raised.id
